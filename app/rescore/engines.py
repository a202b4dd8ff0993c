"""Who calls `score_part`: this process, its workers, threads that ask a service, a Dask cluster.

Each engine yields a receipt as soon as a part is finished, in any order.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from itertools import islice
from multiprocessing.connection import wait as wait_for
from typing import Any

from app.forking import worker_context
from app.rescore.errors import PartError
from app.rescore.job import Job, Part, Receipt
from app.rescore.models import load_model
from app.rescore.work import Answers, score_part

__all__ = ["Engine", "in_process", "on_cluster", "through_service"]

Engine = Callable[[Job, Sequence[Part]], Iterator[Receipt]]

_TRIES = 5
_CONNECT_S = 30
_HELD_A_WORKER = 2


def in_process(workers: int) -> Engine:
    """Score with worker processes, each of which loads the models once; one is this process itself."""

    def run(job: Job, parts: Sequence[Part]) -> Iterator[Receipt]:
        if workers == 1:
            model = load_model(job.model)
            return (score_part(job, part, model) for part in parts)
        return _in_workers(job, parts, min(workers, max(len(parts), 1)))

    return run


def through_service(answers: Answers, concurrency: int) -> Engine:
    """Score with threads, each of which asks for the comments of one part."""

    def run(job: Job, parts: Sequence[Part]) -> Iterator[Receipt]:
        with ThreadPoolExecutor(concurrency) as threads:
            yield from _windowed(threads, partial(_score, job, answers), parts, concurrency)

    return run


def on_cluster(address: str) -> Engine:
    """Score on the workers of a Dask scheduler; they must see the input and the folder of the run.

    Raises:
        PartError: Dask is not installed, or the scheduler does not answer.
    """
    try:
        import distributed
    except ImportError:
        raise PartError("--scheduler needs pip install 'counterpoint[cluster]'") from None

    connect: Any = distributed.Client

    def run(job: Job, parts: Sequence[Part]) -> Iterator[Receipt]:
        try:
            client: Any = connect(address, timeout=_CONNECT_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise PartError(f"no Dask scheduler answers on {address}: {error}") from None
        with client:
            yield from _on_workers(client, job, parts)

    return run


def _in_workers(job: Job, parts: Sequence[Part], workers: int) -> Iterator[Receipt]:
    left = {part.index: part for part in parts}
    for tries in range(_TRIES):
        context = worker_context(__name__)
        with ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start_worker, initargs=(dict(os.environ),)
        ) as pool:
            try:
                task = partial(_score_described, job.model_dump_json())
                for receipt in _windowed(pool, task, left.values(), workers * _HELD_A_WORKER):
                    del left[receipt.part]
                    yield receipt
                return
            except BrokenProcessPool:
                # A worker was killed, by want of memory more likely than by its part.
                if tries == _TRIES - 1:
                    raise PartError("workers were killed again and again; is there enough memory?") from None


def _start_worker(environment: Mapping[str, str]) -> None:
    """Take over the command's environment, and see that a worker ends with its parent, however that ends.

    Workers come out of a process that may be older than the environment; and without a parent they would
    wait for work for ever.
    """
    os.environ.update(environment)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _on_workers(client: Any, job: Job, parts: Sequence[Part]) -> Iterator[Receipt]:
    import distributed

    as_completed: Any = distributed.as_completed
    described = job.model_dump_json()
    waiting = iter(parts)

    def submit(part: Part) -> Any:
        # Without a key of its own, a part that another run is at would be taken for this one.
        return client.submit(_score_described, described, part, pure=False, retries=_TRIES)

    window = max(1, _HELD_A_WORKER * sum(client.nthreads().values()))
    running = as_completed([submit(part) for part in islice(waiting, window)])
    for future in running:
        yield future.result()
        if (part := next(waiting, None)) is not None:
            running.add(submit(part))


def _windowed(
    pool: Executor, task: Callable[[Part], Receipt], parts: Iterable[Part], limit: int
) -> Iterator[Receipt]:
    """Run the task on every part, few of them handed in at a time; the first failure ends it."""
    waiting = iter(list(parts))
    running: set[Future[Receipt]] = set()
    try:
        while True:
            while len(running) < limit and (part := next(waiting, None)) is not None:
                running.add(pool.submit(task, part))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in running:
            future.cancel()


def _score(job: Job, answers: Answers, part: Part) -> Receipt:
    return score_part(job, part, answers)


def _score_described(described: str, part: Part) -> Receipt:
    job = _job(described)
    return score_part(job, part, load_model(job.model))


@lru_cache(maxsize=4)
def _job(described: str) -> Job:
    return Job.model_validate_json(described)
