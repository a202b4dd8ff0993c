"""Where the parallel parts run: in this process's threads, or on a Dask cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from joblib import parallel_config

from training.errors import MissingExtraError, TrainingError

__all__ = ["WAIT_S", "workers"]

WAIT_S = 30
"""Seconds to wait for the scheduler, and for its first worker."""


@contextmanager
def workers(scheduler: str | None) -> Iterator[None]:
    """Make the Dask cluster at `scheduler` joblib's backend; with None, change nothing.

    Counterpoint, of the same version, must be installed on the workers.

    Raises:
        MissingExtraError: dask[distributed] is not installed.
        TrainingError: the scheduler does not answer, or has no worker.
    """
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError(
            "--scheduler needs Dask: pip install 'counterpoint[cluster]' here and on the workers"
        ) from error
    try:
        client = Client(scheduler, timeout=WAIT_S, set_as_default=True)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise TrainingError(f"the Dask scheduler {scheduler} does not answer") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_S)
        except TimeoutError as error:
            raise TrainingError(f"the Dask scheduler {scheduler} has no worker") from error
        with parallel_config(backend="dask", n_jobs=-1, wait_for_workers_timeout=WAIT_S):
            yield
