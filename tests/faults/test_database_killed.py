"""PostgreSQL is killed while comments are scored: no answer is missing, and all is well again by itself."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

ASKED = {"comment": {"text": "Shops need deliveries."}, "article": {"id": "a1"}, "store": "text"}
PREMISE = "The city should ban cars from its centre"


class Scoring:
    """Threads that score one comment after the other, and count what came back."""

    def __init__(self, url: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.stored: Counter[str] = Counter()
        self._url, self._ending = url, threading.Event()
        self._threads = [threading.Thread(target=self._score) for _ in range(3)]

    def __enter__(self) -> "Scoring":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _score(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as http:
            while not self._ending.is_set():
                response = http.post("/v1/score", json=ASKED)
                self.statuses[response.status_code] += 1
                if response.is_success:
                    self.stored[response.json()["stored"]] += 1


def test_scoring_goes_on_and_recovers(
    started: Callable[..., Any], own_postgres: Any, until: Callable[..., Any]
) -> None:
    with (
        started(COUNTERPOINT_DATABASE_URL=own_postgres.url()) as served,
        httpx.Client(base_url=served.url, timeout=60, trust_env=False) as http,
    ):
        assert http.put("/v1/articles/a1", json={"premise": PREMISE}).status_code == 201
        with Scoring(served.url) as scoring:
            until(lambda: scoring.stored["text"] > 20)
            own_postgres.kill()
            until(lambda: http.get("/readyz").json()["status"] == "degraded")
            ready = http.get("/readyz")
            assert (ready.status_code, "does not answer" in ready.json()["checks"]["database"]) == (200, True)
            until(lambda: scoring.stored["no"] > 20)
            own_postgres.start()
            until(lambda: http.get("/readyz").json()["status"] == "ok")
            answered = scoring.stored["text"]
            until(lambda: scoring.stored["text"] > answered + 20)
        assert set(scoring.statuses) == {200}
        assert http.post("/v1/score", json=ASKED).json()["stance"]["premise"] == PREMISE
