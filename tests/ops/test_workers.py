"""Several workers count together and end together."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

WORKERS = 2
PATIENCE_S = 120
ITEM = {"comment": {"text": "You are a stupid idiot."}, "article": {"premise": "Ban cars"}}


def told(url: str, name: str, **labels: str) -> float:
    """A sum over samples of /metrics; -1 where nobody listens."""
    try:
        answer = httpx.get(f"{url}/metrics", timeout=60, trust_env=False)
    except httpx.TransportError:
        return -1
    answer.raise_for_status()
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == f"counterpoint_{name}" and labels.items() <= sample.labels.items()
    )


def slowly(told: threading.Event, go: threading.Event) -> Iterator[bytes]:
    """A body whose end comes when it may."""
    yield b'{"comment": '
    told.set()
    assert go.wait(PATIENCE_S)
    yield b'{"text": "You are a stupid idiot."}}'


def test_any_worker_tells_of_all_and_they_end_together(
    started: Callable[..., Any], until: Callable[[Callable[[], bool]], None]
) -> None:
    began, go = threading.Event(), threading.Event()
    with started("--workers", str(WORKERS)) as served, ThreadPoolExecutor(1) as pool:
        url = served.url
        until(lambda: told(url, "workers") == WORKERS)
        for _ in range(20):  # a connection each: both get some
            httpx.post(f"{url}/v1/score", json=ITEM, trust_env=False).raise_for_status()
        for _ in range(4):
            assert told(url, "request_seconds_count", route="/v1/score", status="200") == 20
            assert told(url, "score_count", attribute="INSULT") == 20
            assert told(url, "decisions_total") == 20
            assert told(url, "model_workers", version="2026.2.0") == WORKERS
        headers = {"Content-Type": "application/json"}
        content = slowly(began, go)
        asking = pool.submit(
            httpx.post, f"{url}/v1/score", content=content, headers=headers, timeout=60, trust_env=False
        )
        assert began.wait(PATIENCE_S)
        served.process.send_signal(signal.SIGTERM)
        until(lambda: told(url, "workers") == -1)
        assert not asking.done()
        go.set()
        assert asking.result(PATIENCE_S).status_code == 200
        served.process.wait(PATIENCE_S)


def connections_of_workers(process: int, port: int) -> list[int]:
    """How many connections to a port each child of a process has, the fewest first."""
    children = psutil.Process(process).children(recursive=True)
    found = [[one for one in child.net_connections() if one.status == "ESTABLISHED"] for child in children]
    return sorted(len([one for one in of_child if one.laddr.port == port]) for of_child in found)


def test_connections_that_come_at_once_are_shared(
    started: Callable[..., Any], until: Callable[[Callable[[], bool]], None]
) -> None:
    with started("--workers", str(WORKERS)) as served, ExitStack() as opened:
        until(lambda: told(served.url, "workers") == WORKERS)
        address = httpx.URL(served.url)
        process, port = served.process.pid, address.port

        def have() -> list[int]:
            return connections_of_workers(process, port)[-WORKERS:]

        def open_another() -> None:
            opened.enter_context(socket.create_connection((address.host, port), PATIENCE_S))

        def both_have_one() -> bool:
            open_another()
            return min(have()) > 0

        until(both_have_one)  # so that both listen
        before = sum(have())
        for _ in range(16):
            open_another()
        until(lambda: sum(have()) >= before + 16)
        fewest, most = have()
        assert fewest >= 4, most
