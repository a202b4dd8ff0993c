"""Metrics of several worker processes, added up by whichever of them is asked."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

__all__ = ["AllWorkers", "shared_folder", "sharing"]

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # which prometheus_client looks at when it is imported


def shared_folder() -> str | None:
    """Return the folder in which the workers of this service keep their figures, if it has several."""
    return os.environ.get(_VARIABLE)


@contextmanager
def sharing() -> Iterator[None]:
    """Let processes that are started inside the context keep their figures in one folder, made for it."""
    if shared_folder() is not None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="counterpoint-metrics-") as folder:
        os.environ[_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[_VARIABLE]


class AllWorkers(Collector):
    """Adds up the figures of all workers, those that have ended included, as counters must not fall."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterator[Metric]:
        """Yield the sums."""
        self._forget_gauges_of_the_ended()
        yield from MultiProcessCollector.merge(self._files())  # type: ignore[no-untyped-call]

    def _forget_gauges_of_the_ended(self) -> None:
        for file in self._folder.glob("gauge_live*.db"):
            if not _lives(int(file.stem.rsplit("_", 1)[1])):
                file.unlink(missing_ok=True)  # another worker may do the same at this moment

    def _files(self) -> list[str]:
        # A worker that starts makes a file a moment before it gives it a size; it has counted nothing then.
        return [str(file) for file in self._folder.glob("*.db") if _size(file)]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
