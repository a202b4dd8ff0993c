"""kill -9 of the service and of PostgreSQL under load: what was acknowledged is there, and once."""

import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.store import Store
from models.errors import ModelError

ROOT = Path(__file__).parents[2]
WRITERS = 4
PATIENCE_S = 120
PAUSE_S = 0.02


class Service:
    """The service in a process of its own, on the same port each time it is started."""

    def __init__(self, releases: Path, database_url: str) -> None:
        self._environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "COUNTERPOINT_RELEASES": str(releases),
            "COUNTERPOINT_DATABASE_URL": database_url,
            "COUNTERPOINT_LOG_LEVEL": "ERROR",
        }
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.port = "0"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "app.cli", "serve", "--port", self.port]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"answers on http://127\.0\.0\.1:(\d+)", line):
                self.port = found[1]
                self._reader = threading.Thread(target=self._process.stderr.read)
                self._reader.start()
                return
        raise ModelError("the service did not start")

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._end()

    def _end(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        assert self._reader is not None
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self._process.stderr.close()


class Load:
    """Writers that give one opinion after the other, each again until it is acknowledged."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.acknowledged: list[str] = []
        self.refused: Counter[int] = Counter()
        self.lost_connections = 0
        self.missing_retry_after = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def wait_for(self, what: Callable[["Load"], int], more: int) -> None:
        """Wait until a count has grown."""
        with self._changed:
            goal = what(self) + more
            assert self._changed.wait_for(lambda: what(self) >= goal, PATIENCE_S), "nothing moves any more"

    def _write(self) -> None:
        with httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False) as http:
            while not self._stopping.is_set():
                token = uuid.uuid4().hex
                opinion = {
                    "comment": {"text": f"Comment {token}"},
                    "labels": {"INSULT": 1},
                    "client_token": token,
                }
                while not self._give(http, token, opinion) and not self._stopping.wait(PAUSE_S):
                    continue

    def _give(self, http: httpx.Client, token: str, opinion: dict[str, Any]) -> bool:
        try:
            response = http.post("/v1/feedback", json=opinion, headers={"Idempotency-Key": token})
        except httpx.TransportError:
            with self._changed:
                self.lost_connections += 1
                self._changed.notify_all()
            return False
        with self._changed:
            if response.status_code == 201:
                self.acknowledged.append(token)
            else:
                self.refused[response.status_code] += 1
                self.missing_retry_after += "Retry-After" not in response.headers
            self._changed.notify_all()
        return response.status_code == 201


@contextmanager
def running(releases: Path, database_url: str) -> Iterator[Service]:
    service = Service(releases, database_url)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def check_kept(database_url: str, load: Load) -> None:
    store = Store(database_url, timeout_s=30)
    kept = Counter(one.feedback.client_token for one in store.feedback.iterate(every=True))
    store.close()
    assert [token for token in load.acknowledged if kept[token] == 0] == []
    assert [token for token, count in kept.items() if count > 1] == []
    assert len(kept) - len(load.acknowledged) <= WRITERS  # those under way at the end
    sys.stdout.write(
        f"{store.database.dialect}: acknowledged {len(load.acknowledged)}, kept {len(kept)}, "
        f"refused {dict(load.refused)}, connections lost {load.lost_connections}\n"
    )


def test_the_service_is_killed(releases: Path, database_url: str) -> None:
    with running(releases, database_url) as service:
        with Load(service.url) as load:
            load.wait_for(lambda load: len(load.acknowledged), 60)
            service.kill()
            load.wait_for(lambda load: load.lost_connections, 1)
            service.start()
            load.wait_for(lambda load: len(load.acknowledged), 60)
            service.kill()
        check_kept(database_url, load)
    assert set(load.refused) <= {503}  # a disk that is slow may take more than the service waits


def test_postgresql_is_killed(releases: Path, own_postgres: Any) -> None:
    database_url = own_postgres.url()
    with running(releases, database_url) as service:
        with Load(service.url) as load, httpx.Client(base_url=service.url, trust_env=False) as http:
            load.wait_for(lambda load: len(load.acknowledged), 60)
            own_postgres.kill()
            load.wait_for(lambda load: load.refused[503], 5)
            scored = http.post("/v1/score", json={"comment": {"text": "Well said."}, "store": "text"})
            assert (scored.status_code, scored.json()["stored"]) == (200, "no")
            own_postgres.start()
            load.wait_for(lambda load: len(load.acknowledged), 60)
            own_postgres.kill()
        own_postgres.start()
        check_kept(database_url, load)
    assert (set(load.refused), load.missing_retry_after, load.lost_connections) == ({503}, 0, 0)
