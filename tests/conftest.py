"""Fixtures for every test: bundles, the real datasets where they are at hand."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

from models import RELEASES, Bundle, list_bundles, load_bundle
from tests.support import tiny as tiny_models
from tests.support.tiny_data import write_tiny_data

pytest_plugins = [
    "tests.support.counting",
    "tests.support.databases",
    "tests.support.operating",
    "tests.support.serving",
]

ROOT = Path(__file__).parent.parent

settings.register_profile("unhurried", deadline=None)  # machines are noisy
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The module that makes tiny models."""
    return tiny_models


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """A data folder with every dataset, a few invented rows each, in the original formats."""
    return write_tiny_data(tmp_path / "tiny")


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], Any]], Any]:
    """Wait until something holds, and give it; fail where it does not come about in minutes."""

    def wait(holds: Callable[[], Any]) -> Any:
        end = time.monotonic() + 120
        while not (found := holds()):
            assert time.monotonic() < end, "it did not come about"
            threading.Event().wait(0.02)  # between two looks, not in place of one
        return found

    return wait


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two tiny bundles, 2026.1.0 and 2026.2.0, whose scores differ."""
    root = tmp_path_factory.mktemp("releases")
    tiny_models.make_bundle(root, "2026.1.0", seed=1)
    tiny_models.make_bundle(root, "2026.2.0", seed=0)
    return root


@pytest.fixture(scope="session")
def bundle_path(releases: Path) -> Path:
    """The newer of the two tiny bundles."""
    return releases / "2026.2.0"


@pytest.fixture(scope="session")
def second_bundle_path(releases: Path) -> Path:
    """The older of the two tiny bundles."""
    return releases / "2026.1.0"


@pytest.fixture(scope="session")
def shipped_bundle_path() -> Path:
    """The newest bundle that ships with the project."""
    found = list_bundles(RELEASES)
    assert found, "models/releases/ must hold a bundle"
    return found[-1]


@pytest.fixture(scope="session")
def shipped_bundle(shipped_bundle_path: Path) -> Bundle:
    """That bundle, loaded."""
    return load_bundle(shipped_bundle_path)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real datasets; the test is skipped where it is not at hand."""
    place = os.environ.get("COUNTERPOINT_DATA_DIR")
    if not place:
        pytest.skip("COUNTERPOINT_DATA_DIR is not set: the real datasets are not at hand")
    return Path(place)


@pytest.fixture(scope="session")
def seed_thread() -> Path:
    """The page from which the project was born; the test is skipped where it is not at hand."""
    path = ROOT.parent / "shared" / "seeds" / "000_2d606b237a228541.txt"
    if not path.exists():
        pytest.skip("the seed page is not beside the checkout")
    return path
