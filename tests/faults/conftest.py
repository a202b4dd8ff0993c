"""A service to be mistreated, in this process or in one of its own."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"faults_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_releases = _load(TESTS / "releases" / "conftest.py")
make_settings, serve = _releases.make_settings, _releases.serve
environment, folder, run, started = (
    _releases.environment,
    _releases.folder,
    _releases.run,
    _releases.started,
)


@pytest.fixture(scope="session")
def fuzzing() -> bool:
    """Whether to look for new faults, with other cases each time, as `make fuzz` does."""
    return "FUZZ_CASES" in os.environ


@pytest.fixture(scope="session")
def fuzz_cases() -> int:
    """How many cases of each kind."""
    return int(os.environ.get("FUZZ_CASES", "5"))


@pytest.fixture(scope="session")
def server(serve: Any) -> Iterator[Any]:
    """A service in which every route may be used."""
    with serve(allow_activate=True, database_timeout_s=30, log_level="ERROR") as running:
        yield running
