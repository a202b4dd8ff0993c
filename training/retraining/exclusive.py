"""One retraining at a time on a folder of releases, and no remains of one that was killed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import BusyError

__all__ = ["exclusive"]

_LOCK = ".retrain.lock"
_PREFIX = ".retraining-"


@contextmanager
def exclusive(releases: Path) -> Iterator[Path]:
    """Keep other retrainings from the folder; yield a scratch folder inside, which goes with the lock.

    The system frees the lock however the process ends. What a killed one left in scratch is removed.

    Raises:
        BusyError: another retraining has the lock.
    """
    releases.mkdir(parents=True, exist_ok=True)
    handle = os.open(releases / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another retraining works on {releases}: wait until it has ended") from None
        for left in releases.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        scratch = releases / f"{_PREFIX}{os.getpid()}"
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    finally:
        os.close(handle)
