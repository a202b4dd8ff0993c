"""Large objects for tasks that joblib may run elsewhere."""

import pickle
from functools import lru_cache
from typing import Any

import numpy as np
from joblib.parallel import get_active_backend

__all__ = ["packed", "unpacked"]


def packed(one: Any) -> Any:
    """Return what to hand to many tasks: the object itself, or an array of its pickle.

    Dask sends an array once to each worker, and another object with every task.
    """
    backend, _ = get_active_backend(prefer="threads")
    return (
        one
        if getattr(backend, "supports_sharedmem", False)
        else np.frombuffer(pickle.dumps(one), dtype=np.uint8)
    )


def unpacked(given: Any) -> Any:
    """Return the object that was packed; a process keeps the latest two."""
    return _loaded(given.tobytes()) if _is_packed(given) else given


def _is_packed(given: Any) -> bool:
    return isinstance(given, np.ndarray) and given.dtype == np.uint8


@lru_cache(maxsize=2)
def _loaded(pickled: bytes) -> Any:
    return pickle.loads(pickled)
