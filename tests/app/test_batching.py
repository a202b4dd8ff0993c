"""Concurrent requests share calls of the model, and never each other's misfortunes."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import httpx
import pytest

from app.batching import MicroBatcher
from app.errors import BusyError, ScorerClosedError

Serve = Callable[..., AbstractContextManager[Any]]

T = TypeVar("T")
Doubler = Callable[[Sequence[int]], list[int]]


def run(
    score: Doubler, use: Callable[[MicroBatcher[int, int]], T], *, size: int = 8, wait_ms: float = 50
) -> T:
    async def main() -> T:
        async with MicroBatcher(lambda: score, size=size, wait_ms=wait_ms) as batcher:
            return await use(batcher)

    return asyncio.run(main())


def double(items: Sequence[int]) -> list[int]:
    return [2 * item for item in items]


def test_two_hundred_singles_are_answered_as_one_batch_with_fewer_calls(serve: Serve) -> None:
    items = [
        {"comment": {"text": f"Comment {n} on the cars of the city."}, "article": {"premise": "Ban cars"}}
        for n in range(200)
    ]
    with serve(micro_batch_wait_ms=20, overload_latency_ms=None) as running:
        stats = running.service.batcher.stats

        async def ask_all() -> list[dict]:
            limits = httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(
                base_url=running.url, limits=limits, timeout=60, trust_env=False
            ) as http:
                answers = await asyncio.gather(*(http.post("/v1/score", json=item) for item in items))
                assert (stats.items, stats.batches < 200) == (200, True)
                batch = await http.post("/v1/score/batch", json={"items": items})
                assert batch.json()["results"] == [answer.json() for answer in answers]
                return [answer.json() for answer in answers]

        assert len(asyncio.run(ask_all())) == 200
        assert stats.retried == 0


def test_concurrent_items_share_a_call() -> None:
    async def use(batcher: MicroBatcher[int, int]) -> tuple[list[int], int]:
        answers = await asyncio.gather(*map(batcher.submit, range(20)))
        return answers, batcher.stats.batches

    answers, batches = run(double, use)
    assert answers == [2 * n for n in range(20)]
    assert batches == 3


def test_one_who_comes_alone_does_not_wait_for_company() -> None:
    async def use(batcher: MicroBatcher[int, int]) -> list[int]:
        return [await batcher.submit(n) for n in range(3)]

    an_hour = 3_600_000
    assert run(double, use, wait_ms=an_hour) == [0, 2, 4]


def test_those_who_came_together_are_waited_for() -> None:
    async def use(batcher: MicroBatcher[int, int]) -> int:
        await asyncio.gather(*map(batcher.submit, range(3)))
        first = asyncio.create_task(batcher.submit(3))
        for _ in range(10):
            await asyncio.sleep(0)
        assert batcher.waiting == (1, 0)
        await asyncio.gather(first, batcher.submit(4), batcher.submit(5))
        return batcher.stats.batches

    assert run(double, use, wait_ms=3_600_000) == 2


def test_one_bad_item_fails_alone() -> None:
    def score(items: Sequence[int]) -> list[int]:
        if 3 in items:
            raise ValueError("three")
        return double(items)

    async def use(batcher: MicroBatcher[int, int]) -> tuple[list[int | BaseException], int]:
        return await batcher.submit_many(range(6)), batcher.stats.retried

    answers, retried = run(score, use)
    assert isinstance(answers[3], ValueError)
    assert answers[:3] + answers[4:] == [0, 2, 4, 8, 10]
    assert retried == 6


def test_a_waiter_who_leaves_harms_nobody() -> None:
    async def use(batcher: MicroBatcher[int, int]) -> list[int]:
        tasks = [asyncio.create_task(batcher.submit(n)) for n in range(6)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert isinstance(answers[3], asyncio.CancelledError)
        assert batcher.stats.items == 4
        return [answer for answer in answers if isinstance(answer, int)]

    assert run(double, use) == [2, 4, 8, 10]


def test_a_waiter_may_leave_while_its_item_is_scored() -> None:
    began, go = threading.Event(), threading.Event()

    def score(items: Sequence[int]) -> list[int]:
        began.set()
        assert go.wait(30)
        return double(items)

    async def use(batcher: MicroBatcher[int, int]) -> int:
        tasks = [asyncio.create_task(batcher.submit(n)) for n in (1, 2)]
        await asyncio.to_thread(began.wait, 30)
        tasks[0].cancel()
        go.set()
        return await tasks[1]

    assert run(score, use) == 4


def test_a_single_item_does_not_wait_for_a_whole_batch() -> None:
    calls: list[list[int]] = []
    began, go = threading.Event(), threading.Event()

    def score(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        began.set()
        assert go.wait(30)
        return double(items)

    async def use(batcher: MicroBatcher[int, int]) -> None:
        many = asyncio.create_task(batcher.submit_many(range(64)))
        await asyncio.to_thread(began.wait, 30)
        single = asyncio.create_task(batcher.submit(1_000))
        await asyncio.sleep(0)
        go.set()
        assert await single == 2_000
        assert not many.done()
        assert await many == double(range(64))

    run(score, use)
    assert 1_000 in calls[1]


def test_the_event_loop_is_free_while_the_model_works() -> None:
    go = threading.Event()

    def score(items: Sequence[int]) -> list[int]:
        assert go.wait(30)
        return double(items)

    async def use(batcher: MicroBatcher[int, int]) -> int:
        waiting = asyncio.create_task(batcher.submit(1))
        asyncio.get_running_loop().call_later(0, go.set)
        return await waiting

    assert run(score, use, wait_ms=0) == 2


def test_closing_answers_what_waits_and_takes_no_more() -> None:
    async def main() -> None:
        async with MicroBatcher(lambda: double, size=4, wait_ms=1_000) as batcher:
            waiting = [asyncio.create_task(batcher.submit(n)) for n in range(6)]
            await asyncio.sleep(0)
        assert await asyncio.gather(*waiting) == [0, 2, 4, 6, 8, 10]
        with pytest.raises(ScorerClosedError):
            await batcher.submit(1)

    asyncio.run(main())


def test_a_model_that_answers_too_little_is_an_error() -> None:
    async def use(batcher: MicroBatcher[int, int]) -> list[int | BaseException]:
        return await batcher.submit_many([1, 2])

    assert all(isinstance(answer, RuntimeError) for answer in run(lambda items: [], use))


class Gate:
    """Doubles, keeping every call waiting until it is opened."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        self.began.set()
        assert self.go.wait(30)
        return double(items)


def test_neither_lane_holds_up_the_other() -> None:
    gate = Gate()

    async def use(batcher: MicroBatcher[int, int]) -> None:
        many = [asyncio.create_task(batcher.submit_many(range(start, start + 64))) for start in (0, 100, 200)]
        await asyncio.to_thread(gate.began.wait, 30)
        singles = [asyncio.create_task(batcher.submit(n)) for n in range(1_000, 1_020)]
        await asyncio.sleep(0)
        gate.go.set()
        assert await asyncio.gather(*singles) == double(range(1_000, 1_020))
        assert await asyncio.gather(*many) == [double(range(n, n + 64)) for n in (0, 100, 200)]

    run(gate, use)
    assert gate.calls[1][:7] == list(range(1_000, 1_007))
    assert [sum(n < 1_000 for n in call) for call in gate.calls[1:3]] == [1, 1]


def test_costly_items_come_in_small_batches() -> None:
    async def use(batcher: MicroBatcher[int, int]) -> tuple[int, int]:
        await batcher.submit_many(range(20))
        return batcher.stats.items, batcher.stats.batches

    async def main() -> tuple[int, int]:
        async with MicroBatcher(lambda: double, size=10, wait_ms=0, budget_ms=1e-9) as batcher:
            return await use(batcher)

    items, batches = asyncio.run(main())
    assert items == 20
    assert batches > 10


def test_too_many_singles_are_refused_and_bulk_waits() -> None:
    gate = Gate()

    async def main() -> None:
        async with MicroBatcher(lambda: gate, size=4, wait_ms=0, max_waiting=2) as batcher:
            first = asyncio.create_task(batcher.submit(0))
            await asyncio.to_thread(gate.began.wait, 30)
            waiting = [asyncio.create_task(batcher.submit(n)) for n in (1, 2)]
            many = asyncio.create_task(batcher.submit_many(range(10)))
            await asyncio.sleep(0)
            with pytest.raises(BusyError, match="2") as refusal:
                await batcher.submit(3)
            assert (refusal.value.status, refusal.value.retry_after_s) == (503, 1)
            gate.go.set()
            assert await asyncio.gather(first, *waiting) == [0, 2, 4]
            assert await many == double(range(10))

    asyncio.run(main())


def test_a_model_that_cannot_be_had_is_an_error_for_each_item() -> None:
    def current() -> Doubler:
        raise LookupError("no model")

    async def main() -> None:
        async with MicroBatcher(current, size=4, wait_ms=0) as batcher:
            for _ in range(2):
                with pytest.raises(LookupError):
                    await batcher.submit(1)
            assert batcher.alive

    asyncio.run(main())


def test_an_end_of_the_work_is_told_to_everybody() -> None:
    class Fatal(BaseException):
        pass

    def score(items: Sequence[int]) -> list[int]:
        raise Fatal

    async def use(batcher: MicroBatcher[int, int]) -> None:
        assert batcher.alive
        with pytest.raises(Fatal):
            await batcher.submit(1)
        assert not batcher.alive
        with pytest.raises(ScorerClosedError):
            await batcher.submit(2)

    run(score, use, wait_ms=0)
