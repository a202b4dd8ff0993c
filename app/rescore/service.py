"""Scores from a running service: batches that grow while it keeps up, and shrink where it does not."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

from app.exchange import BATCH_PATH, Attempts, batch_of, body_of, read_answer, timeout_for
from app.rescore.errors import PartError
from app.rescore.job import Model
from app.schemas import BatchAnswer, ModelList, Problem, ScoreAnswer, ScoreRequest

__all__ = ["Service"]

_JSON = {"Content-Type": "application/json"}
_TIMEOUT_S = 60.0
_FEWEST, _MOST = 16, 512
_BRISK_S, _SLOW_S = 1.0, 4.0
_TOO_LARGE = 413


class Service:
    """Answers by asking a service; used by several threads at once. Close it, or use it as a context manager.

    Args:
        url: where the service is.
        key: sent as a bearer token.
        concurrency: most requests under way.
        retries: how often a request is sent again that meets 429, a 5xx or a lost connection.
        backoff_s: first pause before that, in seconds; each further one is twice as long, Retry-After comes
            first.
    """

    def __init__(
        self, url: str, *, key: str | None, concurrency: int, retries: int = 10, backoff_s: float = 0.5
    ) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        limits = httpx.Limits(max_connections=concurrency)
        self._http = httpx.Client(base_url=url, headers=headers, limits=limits)
        self._retries, self._backoff_s = retries, backoff_s
        self._lock = threading.Lock()
        self._items = 128

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def model(self) -> Model:
        """Return the model that the service scores with.

        Raises:
            ClientError: it does not answer.
        """
        listed = read_answer(ModelList, self._sent("GET", "/v1/models", None)[0])
        return Model(version=listed.active, digest=None, folder=None, settings={})

    def answer(self, requests: Sequence[ScoreRequest]) -> list[ScoreAnswer | Problem]:
        """Return an answer or a problem for each request, in order.

        Raises:
            ClientError: the service does not answer in spite of the retries, or refuses all of it.
        """
        bodies = [body_of(request) for request in requests]
        found: list[ScoreAnswer | Problem] = []
        while len(found) < len(bodies):
            found += self._batch(bodies[len(found) : len(found) + self._items])
        return found

    def _batch(self, items: list[bytes]) -> list[ScoreAnswer | Problem]:
        began = time.monotonic()
        response, tries = self._sent("POST", BATCH_PATH, batch_of(items), may_be_too_much=len(items) > 1)
        if response.status_code == _TOO_LARGE:
            self._resize(0.5)
            half = len(items) // 2
            return self._batch(items[:half]) + self._batch(items[half:])
        took = time.monotonic() - began
        if tries > 1 or took > _SLOW_S:
            self._resize(0.5)
        elif took < _BRISK_S:
            self._resize(2.0)
        results = read_answer(BatchAnswer, response).results
        if len(results) != len(items):
            raise PartError(f"the service answered {len(results)} of {len(items)} comments")
        return results

    def _resize(self, factor: float) -> None:
        with self._lock:
            self._items = int(min(_MOST, max(_FEWEST, self._items * factor)))

    def _sent(
        self, method: str, path: str, body: bytes | None, *, may_be_too_much: bool = False
    ) -> tuple[httpx.Response, int]:
        """The response, a good one unless smaller pieces may be taken instead, and after how many tries."""
        attempts = Attempts(self._retries, self._backoff_s)
        tries = 0
        while True:
            tries += 1
            try:
                outcome: httpx.Response | httpx.RequestError = self._http.request(
                    method,
                    path,
                    content=body,
                    headers=None if body is None else _JSON,
                    timeout=timeout_for(path, _TIMEOUT_S),
                )
            except httpx.RequestError as error:
                outcome = error
            if isinstance(outcome, httpx.Response) and outcome.status_code == _TOO_LARGE and may_be_too_much:
                return outcome, tries
            if (pause := attempts.pause_after(outcome)) is None:
                return attempts.settle(outcome), tries
            self._resize(0.5)
            time.sleep(pause)
