"""Scoring that nobody waits for any more is not done."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest

from app.batching import MicroBatcher
from app.errors import TookTooLongError

Serve = Callable[..., AbstractContextManager[Any]]
Connect = Callable[[str], Any]


def test_what_has_passed_its_deadline_is_given_up() -> None:
    calls: list[list[int]] = []
    began, go = threading.Event(), threading.Event()

    def double(items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        began.set()
        assert go.wait(30)
        return [2 * item for item in items]

    async def main() -> None:
        async with MicroBatcher(lambda: double, size=1, wait_ms=0, deadline_s=0.2) as batcher:
            first = asyncio.create_task(batcher.submit(0))
            await asyncio.to_thread(began.wait, 30)
            late = [batcher.submit(1), batcher.submit(2, bulk=True), first]
            outcomes = await asyncio.gather(*late, batcher.submit_many([3, 4]), return_exceptions=True)
            assert all(isinstance(outcome, TookTooLongError) for outcome in outcomes[:3])
            assert [type(outcome) for outcome in outcomes[3]] == [TookTooLongError] * 2
            assert batcher.bulk_wait_s == 0
            go.set()
            assert await batcher.submit(5) == 10

    asyncio.run(main())
    assert calls == [[0], [5]]


def test_an_error_of_the_models_is_no_deadline() -> None:
    def fail(items: Sequence[int]) -> list[int]:
        raise TimeoutError

    async def main() -> None:
        async with MicroBatcher(lambda: fail, size=1, wait_ms=0, deadline_s=30) as batcher:
            with pytest.raises(TimeoutError):
                await batcher.submit(1)

    asyncio.run(main())


def test_a_batch_whose_caller_has_gone_is_given_up(
    serve: Serve, line: Connect, score_request: Callable[..., bytes], until: Callable[..., Any]
) -> None:
    items = [{"comment": {"text": f"Comment {n}. " * 400}} for n in range(1_000)]
    with serve(micro_batch_size=1) as running:
        batcher = running.service.batcher
        caller = line(running.url)
        caller.send(score_request("/v1/score/batch", {"items": items}))
        until(lambda: batcher.stats.items > 0)
        caller.close()
        until(lambda: batcher.bulk_wait_s == 0)
        assert batcher.stats.items < len(items)
