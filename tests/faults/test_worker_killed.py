"""kill -9 of one of two workers: another takes its place, and the other loses nothing."""

import http.client
import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import psutil

BODY = json.dumps({"comment": {"text": "Well said."}})
NEW = "2026.2.0"


class Asking:
    """Connections that ask without a pause, each until it is lost, then anew."""

    def __init__(self, url: str, connections: int) -> None:
        self.answered: dict[int, int] = {}
        self.lost: set[int] = set()
        self.wrong: list[int] = []
        self._host = url.removeprefix("http://")
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(connections)]

    def __enter__(self) -> "Asking":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._ending.is_set():
            connection = http.client.HTTPConnection(self._host, timeout=60)
            port = 0
            try:
                connection.connect()
                port = connection.sock.getsockname()[1]
                while not self._ending.is_set():
                    connection.request("POST", "/v1/score", BODY, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    response.read()
                    if response.status != 200:
                        self.wrong.append(response.status)
                    self.answered[port] = self.answered.get(port, 0) + 1
            except (OSError, http.client.HTTPException):
                self.lost.add(port)
            finally:
                connection.close()


def listens(worker: int) -> bool:
    return any(link.status == psutil.CONN_LISTEN for link in psutil.Process(worker).net_connections("tcp4"))


def ports_of(worker: int) -> set[int]:
    """The other ends of a worker's connections."""
    return {link.raddr.port for link in psutil.Process(worker).net_connections("tcp4") if link.raddr}


def test_the_other_worker_goes_on(started: Callable[..., Any], until: Callable[..., Any]) -> None:
    with started("--workers", "2") as served:
        workers = served.wait(lambda _: len(served.workers_with(NEW)) == 2 and served.workers_with(NEW))
        until(lambda: all(listens(worker) for worker in workers))
        with Asking(served.url, 8) as asking:
            until(lambda: len(asking.answered) == 8)
            killed = max(workers, key=lambda worker: len(ports_of(worker)))
            its_own = ports_of(killed)
            os.kill(killed, signal.SIGKILL)
            served.wait(lambda _: len(served.workers_with(NEW) - {killed}) == 2)
            until(lambda: len(asking.answered) == 8 + len(asking.lost))
    assert its_own
    assert asking.lost <= its_own
    assert asking.wrong == []
