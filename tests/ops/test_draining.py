"""A process that is told to end answers what it was asked, says that it ends, and then is gone."""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

Started = Callable[..., Any]
Until = Callable[[Callable[[], bool]], None]
RESTARTS = int(os.environ.get("ROLLING_RESTARTS", "2"))
PATIENCE_S = 90
ITEM = {"comment": {"text": "You are a stupid idiot."}, "article": {"premise": "Ban cars"}}


def get(url: str, path: str) -> httpx.Response:
    return httpx.get(f"{url}{path}", timeout=60, trust_env=False)


def status(url: str) -> int:
    """What /readyz says; 0 where nobody listens."""
    try:
        return get(url, "/readyz").status_code
    except httpx.TransportError:
        return 0


def ended(served: Any) -> int:
    code: int = served.process.wait(PATIENCE_S)
    return code


def for_ever(go: threading.Event) -> Iterator[bytes]:
    """A stream of comments that has no end before `go`."""
    yield b'{"comment": {"text": "You are a stupid idiot."}}\n'
    go.wait()


def test_it_says_so_first_goes_on_answering_and_gives_up_what_takes_too_long(
    started: Started, until: Until
) -> None:
    settings = {"COUNTERPOINT_DRAIN_S": "3", "COUNTERPOINT_SHUTDOWN_GRACE_S": "1"}
    go = threading.Event()
    with started(**settings) as served, httpx.Client(trust_env=False) as kept, ThreadPoolExecutor(1) as pool:
        headers = {"Content-Type": "application/x-ndjson"}
        stream = httpx.Request("POST", f"{served.url}/v1/score/stream", content=for_ever(go), headers=headers)
        streaming = pool.submit(httpx.Client(trust_env=False).send, stream)
        until(lambda: "counterpoint_requests_in_progress 2.0" in get(served.url, "/metrics").text)
        assert "connection" not in kept.post(f"{served.url}/v1/score", json=ITEM).headers
        served.process.send_signal(signal.SIGTERM)
        until(lambda: status(served.url) == 503)
        served.process.send_signal(signal.SIGTERM)  # a second one changes nothing
        ready = get(served.url, "/readyz")
        assert (ready.status_code, "about to end" in ready.text) == (503, True)
        assert int(ready.headers["retry-after"]) > 0
        assert get(served.url, "/livez").status_code == 200
        assert "counterpoint_draining 1.0" in get(served.url, "/metrics").text
        answer = kept.post(f"{served.url}/v1/score", json=ITEM)
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert ended(served) == -signal.SIGTERM
        go.set()
        with pytest.raises(httpx.TransportError):
            streaming.result(PATIENCE_S)
        assert status(served.url) == 0
    logged = [json.loads(line) for line in served.lines]  # whatever the process says is of one form
    assert {line["pid"] for line in logged} == {served.process.pid}
    assert any(line["message"].startswith("draining") for line in logged)


class Balancer:
    """Sends each request to one of those that say they are ready, and to another where none listens.

    That is all it does: a request that was sent is never sent again.
    """

    def __init__(self, urls: list[str]) -> None:
        self._urls, self._ready = urls, set(urls)
        self._turn = count()
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._watcher.join()

    def is_ready(self, url: str) -> bool:
        return url in self._ready

    def post(self, http: httpx.Client, path: str, body: object) -> httpx.Response:
        for _ in range(10 * len(self._urls)):
            url = self._urls[next(self._turn) % len(self._urls)]
            if url in self._ready:
                try:
                    return http.post(f"{url}{path}", json=body)
                except httpx.ConnectError:
                    continue
        raise AssertionError("nobody was ready")

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            for url in self._urls:
                (self._ready.add if status(url) == 200 else self._ready.discard)(url)


class Load:
    """Threads that ask all the time and have each comment stored; what fails is kept."""

    def __init__(self, balancer: Balancer) -> None:
        self.stored: list[str] = []
        self.lost: list[str] = []
        self._balancer = balancer
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(2)

    def __enter__(self) -> Self:
        for thread in range(2):
            self._pool.submit(self._ask, thread)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._pool.shutdown()

    def _ask(self, thread: int) -> None:
        with httpx.Client(timeout=60, trust_env=False) as http:
            for number in count():
                if self._stop.wait(0.01):  # leaves the processor to those that start
                    return
                name = f"{thread}-{number}"
                body = {
                    "comment": {"text": f"Comment {name}: a stupid idea.", "id": name},
                    "article": {"id": "a", "premise": "Ban cars"},
                    "store": "digest",
                }
                try:
                    response = self._balancer.post(http, "/v1/score", body)
                except Exception as error:
                    self.lost.append(f"{name}: {error!r}")
                    continue
                if response.status_code == 200 and response.json()["stored"] == "digest":
                    self.stored.append(name)
                else:
                    self.lost.append(f"{name}: {response.status_code} {response.text}")


def test_no_request_is_lost_in_rolling_restarts(started: Started, until: Until, tmp_path: Path) -> None:
    settings = {"COUNTERPOINT_DRAIN_S": "0.5", "COUNTERPOINT_LOG_LEVEL": "WARNING"}
    running: dict[int, Any] = {}
    contexts: dict[int, Any] = {}

    def start(place: int, port: str = "0") -> None:
        contexts[place] = started("--port", port, **settings)
        running[place] = contexts[place].__enter__()

    def restart(place: int) -> None:
        url = running[place].url
        running[place].process.send_signal(signal.SIGTERM)
        ended(running[place])
        contexts[place].__exit__(None, None, None)
        start(place, url.rsplit(":", 1)[1])

    try:
        for place in (0, 1):
            start(place)
        urls = [running[place].url for place in (0, 1)]
        with Balancer(urls) as balancer, Load(balancer) as load:
            for number in range(RESTARTS):
                answered = len(load.stored)
                until(lambda: len(load.stored) > answered + 50 or bool(load.lost))  # noqa: B023
                restart(number % 2)
                until(lambda: balancer.is_ready(urls[number % 2]))  # noqa: B023
            answered = len(load.stored)
            until(lambda: len(load.stored) > answered + 50 or bool(load.lost))
        assert load.lost == []
    finally:
        for context in contexts.values():
            context.__exit__(None, None, None)
    with sqlite3.connect(tmp_path / "counterpoint.sqlite3") as database:
        kept = {name for (name,) in database.execute("SELECT id FROM comments")}
    database.close()
    assert set(load.stored) <= kept
    print(f"{RESTARTS} restarts, {len(load.stored)} answers, {len(load.lost)} lost")  # noqa: T201
