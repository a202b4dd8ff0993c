"""The service at five times its capacity: what it still answers, how soon it refuses.

python -m benchmarks.overload [--connections 32] [--seconds 15] [--times 5] [--encoder-share 0.2]

Two measurements in one run, by a load generator in a process of its own. First the capacity, of a service
that refuses nothing: so many connections, each asking again as soon as it is answered. Then, of a service as
it is by default, requests at so many times that rate, sent when their time has come, whether or not those
before them are answered. Latencies count from the moment a request was to be sent, so that a late generator
counts against the service. Every text is another one, since the encoders remember texts; none has a premise.
The machine should have two cores to spare; where it has not, look at the goodput for equal processor time.
"""

import argparse
import asyncio
import multiprocessing
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.connection import Connection, post
from benchmarks.http import serving
from data.examples import load_examples

__all__ = ["Outcomes", "measure_overload"]

_ROUTE = "/v1/score"
_WARM_S = 3.0
_MOST_CONNECTIONS = 600
_PATIENCE_S = 20.0


@dataclass
class Outcomes:
    """What became of the requests of one measurement; times in seconds."""

    seconds: float = 0.0
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    without_retry_after: int = 0
    answered: int = 0
    """Accepted, those of the warm-up included."""
    others: int = 0
    """Other statuses, broken connections, and requests that found none free."""


def measure_overload(
    *, connections: int, seconds: float, times: float, settings: dict[str, str]
) -> dict[str, Any]:
    """Return the figures of both measurements; latencies in milliseconds."""
    with serving({"COUNTERPOINT_OVERLOAD_LATENCY_MS": "null"} | settings, with_echo=False) as served:
        closed, closed_cost = _elsewhere(_closed, served.url, connections, seconds)
    capacity = len(closed.accepted) / closed.seconds
    with serving(settings, with_echo=False) as served:
        opened, opened_cost = _elsewhere(_open, served.url, times * capacity, seconds)
    goodput = len(opened.accepted) / opened.seconds
    sent = len(opened.accepted) + len(opened.refused) + opened.others
    return {
        "capacity": capacity,
        "capacity_p99": _percentile(closed.accepted, 99),
        "offered": sent / opened.seconds,
        "goodput": goodput,
        "ratio": goodput / capacity,
        "ratio_of_cost": closed_cost / opened_cost,
        "accepted_p50": _percentile(opened.accepted, 50),
        "accepted_p99": _percentile(opened.accepted, 99),
        "refused": len(opened.refused),
        "refused_p50": _percentile(opened.refused, 50),
        "refused_p99": _percentile(opened.refused, 99),
        "refused_max": _percentile(opened.refused, 100),
        "without_retry_after": opened.without_retry_after,
        "others": opened.others + closed.others + len(closed.refused),
    }


def _percentile(seconds: list[float], percent: float) -> float:
    return float(np.percentile(seconds, percent)) * 1_000 if seconds else float("nan")


def _elsewhere(measure: Any, *arguments: Any) -> tuple[Outcomes, float]:
    """Measure in another process; returns also how much processor time each answer has cost the service."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        before = _processor_s()
        outcomes = Outcomes(**pool.apply(_measured, (measure, arguments)))
        return outcomes, (_processor_s() - before) / max(1, outcomes.answered)


def _processor_s() -> float:
    served = [child for child in psutil.Process().children(recursive=True) if "serve" in child.cmdline()]
    return float(sum(sum(child.cpu_times()[:2]) for child in served))


def _measured(measure: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    return asdict(asyncio.run(measure(*arguments)))


async def _closed(url: str, connections: int, seconds: float) -> Outcomes:
    outcomes, requests = Outcomes(seconds=seconds), _requests(url)
    begin = time.perf_counter() + _WARM_S
    end = begin + seconds

    async def ask() -> None:
        connection = await Connection.open(url)
        while time.perf_counter() < end:
            began = time.perf_counter()
            status, retries = await connection.ask(next(requests))
            outcomes.answered += status == 200
            if begin <= time.perf_counter() < end:
                _count(outcomes, status, retries, time.perf_counter() - began)

    await asyncio.gather(*(ask() for _ in range(connections)))
    return outcomes


async def _open(url: str, rate: float, seconds: float) -> Outcomes:
    outcomes, requests, tasks = Outcomes(seconds=seconds), _requests(url), set[asyncio.Task[None]]()
    free = [await Connection.open(url) for _ in range(_MOST_CONNECTIONS)]

    async def ask(due: float, counts: bool) -> None:
        if not free:
            outcomes.others += counts
            return
        connection = free.pop()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status, retries = await connection.ask(next(requests))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            outcomes.others += counts
            free.append(await Connection.open(url))
            return
        free.append(connection)
        outcomes.answered += status == 200
        if counts:
            _count(outcomes, status, retries, time.perf_counter() - due)

    began = due = time.perf_counter()
    while due < began + _WARM_S + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(ask(due, due >= began + _WARM_S))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += random.expovariate(rate)
    await asyncio.gather(*tasks)
    return outcomes


def _count(outcomes: Outcomes, status: int, retries: bool, took: float) -> None:
    if status == 200:
        outcomes.accepted.append(took)
    elif status in {429, 503}:
        outcomes.refused.append(took)
        outcomes.without_retry_after += not retries
    else:
        outcomes.others += 1


def _requests(url: str) -> Iterator[bytes]:
    texts = [comment.text for thread in load_examples() for comment in thread.comments]
    random.seed(time.time_ns())
    while True:
        text = f"{random.choice(texts)} {random.randrange(10**9)}"
        yield post(url + _ROUTE, {"comment": {"text": text}})


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="The service at several times its capacity.")
    parser.add_argument("--connections", type=int, default=32, help="that measure the capacity")
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--times", type=float, default=5, help="the capacity is offered")
    parser.add_argument("--encoder-share", default=None, help="COUNTERPOINT_ENCODER_SHARE of the service")
    asked = parser.parse_args()
    settings = {} if asked.encoder_share is None else {"COUNTERPOINT_ENCODER_SHARE": asked.encoder_share}
    found = measure_overload(
        connections=asked.connections, seconds=asked.seconds, times=asked.times, settings=settings
    )
    table = Table("", "", "goal", title=f"{asked.times:g} times the capacity, one worker")
    rows = (
        ("capacity, requests/s", f"{found['capacity']:.0f}", ""),
        ("its p99 of latency", f"{found['capacity_p99']:.0f} ms", ""),
        ("offered, requests/s", f"{found['offered']:.0f}", ""),
        ("goodput, requests/s", f"{found['goodput']:.0f}", ""),
        ("goodput of capacity", f"{found['ratio']:.2f}", "≥ 0.90"),
        ("the same, for equal processor time", f"{found['ratio_of_cost']:.2f}", "≥ 0.90"),
        ("accepted: p50", f"{found['accepted_p50']:.0f} ms", ""),
        ("accepted: p99", f"{found['accepted_p99']:.0f} ms", "≤ 250 ms"),
        ("refused", str(found["refused"]), ""),
        ("refused: p50", f"{found['refused_p50']:.1f} ms", ""),
        ("refused: p99", f"{found['refused_p99']:.1f} ms", "≤ 50 ms"),
        ("refused: longest", f"{found['refused_max']:.1f} ms", "≤ 50 ms"),
        ("refused without Retry-After", str(found["without_retry_after"]), "0"),
        ("neither answered nor refused", str(found["others"]), "0"),
    )
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
