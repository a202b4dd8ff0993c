"""Metrics of several worker processes, added up by whichever of them is asked."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
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
        self._folder = folder
        self._collector = MultiProcessCollector(CollectorRegistry(), folder)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        """Yield the sums."""
        for pid in self._ended():
            mark_process_dead(pid, self._folder)  # type: ignore[no-untyped-call]
        yield from self._collector.collect()  # type: ignore[no-untyped-call]

    def _ended(self) -> set[int]:
        pids = {int(file.stem.rsplit("_", 1)[1]) for file in Path(self._folder).glob("gauge_live*.db")}
        return {pid for pid in pids if not _lives(pid)}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
