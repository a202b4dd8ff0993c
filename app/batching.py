"""Gathers concurrent requests into micro-batches, so that the models are called once for many.

The models run in one worker thread: the event loop never waits for them.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from app.errors import BusyError, ScorerClosedError, TookTooLongError

__all__ = ["BatcherStats", "MicroBatcher"]

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_log = logging.getLogger("counterpoint.batching")
_FIRST_ITEMS = 8  # while the cost of an item is unknown
_LEARNING_RATE = 0.2


@dataclass(slots=True)
class BatcherStats:
    """What a batcher has done since its start."""

    items: int = 0
    """Items scored."""
    batches: int = 0
    """Micro-batches those items came in."""
    retried: int = 0
    """Items of failed micro-batches, scored again one by one."""


@dataclass(slots=True)
class _Job(Generic[Item, Answer]):
    item: Item
    future: asyncio.Future[Answer]
    arrived: float


class MicroBatcher(Generic[Item, Answer]):
    """Answers items one at a time while scoring them many at a time.

    Items wait in two lanes, single ones and bulk. A micro-batch takes singles first and, where bulk
    waits, at least one of it, so that neither lane starves. It is closed when it has as many items as the
    one before it, or `wait_ms` milliseconds after its first item came: who asks alone waits for nobody, and
    clients who ask again as soon as they are answered stay together. While one is being scored the next one
    gathers.

    Args:
        current: gives what scores: items → as many answers, in order; called in the worker thread,
            once a micro-batch, so that no micro-batch mixes two models.
        size: most items of a micro-batch.
        wait_ms: longest wait for company, in milliseconds.
        budget_ms: how long scoring a micro-batch should take at most, in milliseconds; the cost of an
            item is learnt from the micro-batches so far.
        max_waiting: most items that wait in each lane.
        taken: told how long, in seconds, each item of a micro-batch waited for its beginning.
        deadline_s: within how many seconds an item is answered or given up.
    """

    def __init__(
        self,
        current: Callable[[], Callable[[Sequence[Item]], Sequence[Answer]]],
        *,
        size: int,
        wait_ms: float,
        budget_ms: float = 100.0,
        max_waiting: int = 2_000,
        taken: Callable[[Sequence[float]], None] | None = None,
        deadline_s: float | None = None,
    ) -> None:
        self.stats = BatcherStats()
        self.size = size
        self._current = current
        self._wait = wait_ms / 1_000
        self._budget = budget_ms / 1_000
        self._cost: float | None = None
        self._expected = 1
        self._max_waiting = max_waiting
        self._taken = taken
        self._deadline = deadline_s
        self._singles: deque[_Job[Item, Answer]] = deque()
        self._bulk: deque[_Job[Item, Answer]] = deque()
        self._bulk_room = asyncio.Semaphore(max_waiting)
        self._bulk_waiting = 0
        self._changed = asyncio.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scorer")
        self._loop_task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether items are being scored."""
        return self._loop_task is not None and not self._loop_task.done()

    @property
    def waiting(self) -> tuple[int, int]:
        """How many single and how many bulk items wait."""
        return len(self._singles), len(self._bulk)

    @property
    def bulk_wait_s(self) -> float:
        """For how many seconds the bulk that waits will keep the models busy, as far as is known."""
        return self._bulk_waiting * (self._cost or 0.0)

    async def __aenter__(self) -> "MicroBatcher[Item, Answer]":
        """Start gathering."""
        self._loop_task = asyncio.create_task(self._run(), name="micro-batches")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Answer what is waiting, then stop."""
        self._closed = True
        self._changed.set()
        if self._loop_task is not None:
            # Whatever ended it early is in the log.
            await asyncio.gather(self._loop_task, return_exceptions=True)
        self._worker.shutdown(wait=False)

    async def submit(self, item: Item, *, bulk: bool = False) -> Answer:
        """Answer one item.

        Raises:
            ScorerClosedError: closing has begun.
            BusyError: too many single items wait; bulk waits for room instead.
            TookTooLongError: the deadline has passed; where scoring had not begun, it never will.
            Exception: whatever scoring this very item raised.
        """
        if not bulk:
            return await self._in_time(partial(self._join_singles, item), self._until())
        self._bulk_waiting += 1
        try:
            return await self._in_time(partial(self._join_bulk, item), self._until())
        finally:
            self._bulk_waiting -= 1

    async def submit_many(self, items: Sequence[Item]) -> list[Answer | BaseException]:
        """Answer many items in order, an exception in the place of each that failed.

        They go into the bulk lane in portions of one micro-batch, so that several callers take turns. One
        deadline holds for all of them.
        """
        until, answers = self._until(), list[Answer | BaseException]()
        self._bulk_waiting += len(items)
        try:
            for start in range(0, len(items), self.size):
                portion = items[start : start + self.size]
                joined = [self._in_time(partial(self._join_bulk, item), until) for item in portion]
                answers += await asyncio.gather(*joined, return_exceptions=True)
                self._bulk_waiting -= len(portion)
        finally:
            self._bulk_waiting -= len(items) - len(answers)
        return answers

    def _until(self) -> float | None:
        return None if self._deadline is None else asyncio.get_running_loop().time() + self._deadline

    async def _in_time(
        self, answer: Callable[[], Coroutine[None, None, Answer]], until: float | None
    ) -> Answer:
        try:
            async with asyncio.timeout_at(until) as limit:
                return await answer()
        except TimeoutError:
            if not limit.expired():
                raise
            detail = f"The comment was not scored within {self._deadline:g} s; try again later."
            raise TookTooLongError(detail) from None

    async def _join_singles(self, item: Item) -> Answer:
        if len(self._singles) >= self._max_waiting:
            raise BusyError(f"More than {self._max_waiting} comments wait here; try again later.")
        return await self._join(self._singles, item)

    async def _join_bulk(self, item: Item) -> Answer:
        async with self._bulk_room:
            return await self._join(self._bulk, item)

    async def _join(self, lane: deque[_Job[Item, Answer]], item: Item) -> Answer:
        if self._closed:
            raise ScorerClosedError("the service is closing")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        lane.append(_Job(item, future, loop.time()))
        self._changed.set()
        return await future

    async def _run(self) -> None:
        try:
            while await self._work_comes():
                if jobs := self._take():
                    await self._answer(jobs)
        except BaseException as error:
            _log.critical("no comment is scored any more: %s", type(error).__name__)
            raise
        finally:
            self._closed = True
            for job in (*self._singles, *self._bulk):
                _settle(job, ScorerClosedError("the service is closing"))

    async def _work_comes(self) -> bool:
        while not (self._singles or self._bulk):
            if self._closed:
                return False
            await self._change()
        first = min(lane[0].arrived for lane in (self._singles, self._bulk) if lane)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(first + self._wait):
                while len(self._singles) + len(self._bulk) < self._enough() and not self._closed:
                    await self._change()
        return True

    def _enough(self) -> int:
        return min(self._expected, self._most())

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _most(self) -> int:
        affordable = _FIRST_ITEMS if self._cost is None else int(self._budget / max(self._cost, 1e-9))
        return max(1, min(self.size, affordable))

    def _take(self) -> list[_Job[Item, Answer]]:
        most, self._expected = self._most(), len(self._singles) + len(self._bulk)
        singles = _pop(self._singles, max(1, most - 1) if self._bulk else most)
        return singles + _pop(self._bulk, max(1, most - len(singles)))

    async def _answer(self, jobs: Sequence[_Job[Item, Answer]]) -> None:
        items = [job.item for job in jobs]
        if self._taken is not None:
            now = asyncio.get_running_loop().time()
            self._taken([now - job.arrived for job in jobs])
        try:
            outcomes = await asyncio.get_running_loop().run_in_executor(self._worker, self._score, items)
        except BaseException as error:
            for job in jobs:
                _settle(job, error)
            if not isinstance(error, Exception):
                raise
        else:
            for job, outcome in zip(jobs, outcomes, strict=True):
                _settle(job, outcome)

    def _score(self, items: Sequence[Item]) -> list[Answer | Exception]:
        score = self._current()
        self.stats.items += len(items)
        self.stats.batches += 1
        began = time.perf_counter()
        together = _try(score, items)
        self._learn((time.perf_counter() - began) / len(items))
        if not isinstance(together, Exception):
            return list(together)
        if len(items) == 1:
            return [together]
        self.stats.retried += len(items)
        return [_only(_try(score, [item])) for item in items]

    def _learn(self, cost: float) -> None:
        self._cost = cost if self._cost is None else self._cost + _LEARNING_RATE * (cost - self._cost)


def _pop(lane: deque[_Job[Item, Answer]], most: int) -> list[_Job[Item, Answer]]:
    jobs: list[_Job[Item, Answer]] = []
    while lane and len(jobs) < most:
        job = lane.popleft()
        if not job.future.done():  # else its waiter has gone away
            jobs.append(job)
    return jobs


def _try(
    score: Callable[[Sequence[Item]], Sequence[Answer]], items: Sequence[Item]
) -> Sequence[Answer] | Exception:
    try:
        answers = score(items)
    except StopIteration:
        return RuntimeError("StopIteration")  # which no future takes
    except Exception as error:
        return error
    if len(answers) != len(items):
        return RuntimeError(f"{len(items)} items got {len(answers)} answers")
    return answers


def _only(outcome: Sequence[Answer] | Exception) -> Answer | Exception:
    return outcome if isinstance(outcome, Exception) else outcome[0]


def _settle(job: _Job[Item, Answer], outcome: Answer | BaseException) -> None:
    if job.future.done():  # its waiter has gone away
        return
    if isinstance(outcome, BaseException):
        job.future.set_exception(outcome)
    else:
        job.future.set_result(outcome)
