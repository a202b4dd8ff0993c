"""Worker processes that come out of one process which has imported everything once, never out of this one."""

import multiprocessing
import os
from typing import Any

__all__ = ["prepare_workers", "usable_cores", "worker_context"]


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_context(module: str) -> Any:
    """Return the multiprocessing context whose workers have imported a module."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def prepare_workers(module: str) -> None:
    """Begin to import a module for workers to come, beside whatever this process does meanwhile."""
    if worker_context(module).get_start_method() == "forkserver":
        from multiprocessing.forkserver import ensure_running

        ensure_running()
