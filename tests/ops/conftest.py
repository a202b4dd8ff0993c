"""The service in this process, and as an operator runs it."""

import importlib.util
from pathlib import Path
from types import ModuleType


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ops_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_releases = _load(Path(__file__).parents[1] / "releases" / "conftest.py")
make_settings, serve = _releases.make_settings, _releases.serve
folder, environment, started = _releases.folder, _releases.environment, _releases.started
