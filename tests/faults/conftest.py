"""A service to be mistreated, in this process or in one of its own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_S = 90
_SMALL_DISK = "2m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes; the test is skipped where none may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK},mode=700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


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
