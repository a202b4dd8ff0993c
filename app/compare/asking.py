"""Asking two services for the scores of the same texts, each at its own pace."""

import asyncio
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.compare.errors import CompareError
from app.compare.texts import Text
from app.exchange import Attempts

__all__ = ["Comparison", "Endpoint", "Reply", "compare"]

Progress = Callable[[str, int], None]

_ENDINGS = ("/v1alpha1/comments:analyze", "/v1alpha1", "")
_TIMEOUT_S = 60.0
# The next text would meet the same: no right, no such route.
_FATAL_STATUSES = frozenset({301, 302, 307, 308, 401, 403, 404, 405})
_FATAL_REASONS = frozenset({"API_KEY_INVALID"})
_REASON = re.compile(r"[A-Z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask, and how that side is called."""

    name: str
    url: str
    """With or without `/v1alpha1` or `/v1alpha1/comments:analyze` at the end."""
    key: str | None = field(default=None, repr=False)
    """Sent as the query parameter `key`, as every client of the protocol does."""

    def address(self) -> httpx.URL:
        """Return the full address with the key, which is never to be shown.

        Raises:
            CompareError: it is no address.
        """
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in {"http", "https"} or not url.host:
            raise CompareError(f"{self.name}: not a URL that begins with http:// or https://")
        path = url.path.rstrip("/")
        ending = next(ending for ending in _ENDINGS if path.endswith(ending))
        url = url.copy_with(path=path.removesuffix(ending) + _ENDINGS[0])
        return url if self.key is None else url.copy_set_param("key", self.key)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a side says of one text: attribute → score, or why there is none."""

    scores: dict[str, float] = field(default_factory=dict)
    error: str | None = None
    """A status and, where the side tells it, a code: never a message, which might quote the text."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The replies of both sides, one a text; None where a side had given up before."""

    texts: list[Text]
    attributes: tuple[str, ...]
    left: list[Reply | None]
    right: list[Reply | None]
    stopped: list[str]
    """Why a side gave up, a sentence each."""

    def errors(self) -> dict[tuple[str, str], int]:
        """Return (side, error) → how many texts met it."""
        counts: dict[tuple[str, str], int] = {}
        for name, replies in (("left", self.left), ("right", self.right)):
            for reply in replies:
                error = "not asked" if reply is None else reply.error
                if error is not None:
                    counts[name, error] = counts.get((name, error), 0) + 1
        return counts


async def compare(
    texts: Sequence[Text],
    left: Endpoint,
    right: Endpoint,
    *,
    attributes: Sequence[str],
    language: str | None = None,
    concurrency: int = 8,
    retries: int = 8,
    backoff_s: float = 0.5,
    progress: Progress = lambda side, done: None,
) -> Comparison:
    """Ask both sides for every text. Every request says `doNotStore`.

    Args:
        texts: what to score.
        left: one side.
        right: the other.
        attributes: what to ask for.
        language: told with every text; None lets each side detect it.
        concurrency: most requests under way on each side.
        retries: how often a request is sent again that meets 429, a 5xx or a lost connection.
        backoff_s: first pause before that, in seconds; each further one is twice as long, Retry-After
            comes first.
        progress: called with a side's name and how many texts it has settled.

    Raises:
        CompareError: a URL is wrong.
    """
    request: dict[str, Any] = {"requestedAttributes": {name: {} for name in attributes}, "doNotStore": True}
    if language is not None:
        request["languages"] = [language]
    sides = [
        _Side(endpoint, texts, request, lambda: Attempts(retries, backoff_s), progress)
        for endpoint in (left, right)
    ]
    async with asyncio.TaskGroup() as group:
        for side in sides:
            group.create_task(side.ask_all(concurrency))
    return Comparison(
        texts=list(texts),
        attributes=tuple(attributes),
        left=sides[0].replies,
        right=sides[1].replies,
        stopped=[side.stopped for side in sides if side.stopped is not None],
    )


class _Side:
    def __init__(
        self,
        endpoint: Endpoint,
        texts: Sequence[Text],
        request: dict[str, Any],
        new_attempts: Callable[[], Attempts],
        progress: Progress,
    ) -> None:
        self._name, self._address = endpoint.name, endpoint.address()
        self._texts, self._request = texts, request
        self._new_attempts, self._progress = new_attempts, progress
        self.replies: list[Reply | None] = [None] * len(texts)
        self.stopped: str | None = None
        self._settled = 0
        self._reached = False

    async def ask_all(self, concurrency: int) -> None:
        waiting = iter(range(len(self._texts)))
        limits = httpx.Limits(max_connections=concurrency)
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT_S, limits=limits) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(concurrency):
                group.create_task(self._work(client, waiting))

    async def _work(self, client: httpx.AsyncClient, waiting: Iterator[int]) -> None:
        for place in waiting:
            self.replies[place] = await self._ask(client, self._texts[place])
            self._settled += 1
            self._progress(self._name, self._settled)
            if self.stopped is not None:
                return

    async def _ask(self, client: httpx.AsyncClient, text: Text) -> Reply:
        attempts = self._new_attempts()
        body = self._request | {"comment": {"text": text.text}}
        while self.stopped is None:
            try:
                outcome: httpx.Response | httpx.RequestError = await client.post(self._address, json=body)
                self._reached = True
            except httpx.RequestError as error:
                outcome = error
            pause = attempts.pause_after(outcome)
            # A side that has never been reached is a wrong URL more likely than a passing fault.
            if pause is None or (isinstance(outcome, httpx.ConnectError) and not self._reached):
                return self._settle(outcome)
            await asyncio.sleep(pause)
        return Reply(error="not asked")

    def _settle(self, outcome: httpx.Response | httpx.RequestError) -> Reply:
        if isinstance(outcome, httpx.RequestError):
            reply = Reply(error=type(outcome).__name__)
            if not isinstance(outcome, httpx.ReadTimeout | httpx.WriteTimeout):
                self._give_up(f"it cannot be reached ({reply.error})")
            return reply
        if outcome.status_code == httpx.codes.OK:
            return _scores_in(outcome)
        reason = _reason_in(outcome)
        reply = Reply(error=f"{outcome.status_code} {reason or outcome.reason_phrase}".strip())
        if outcome.status_code in _FATAL_STATUSES or reason in _FATAL_REASONS:
            self._give_up(f"it answers {reply.error}")
        return reply

    def _give_up(self, why: str) -> None:
        self.stopped = self.stopped or f"{self._name}: {why}"


def _scores_in(response: httpx.Response) -> Reply:
    try:
        given = response.json().get("attributeScores", {})
        values = {name: scores["summaryScore"]["value"] for name, scores in given.items()}
        found = {str(name): float(value) for name, value in values.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return Reply(error="an answer of another shape")
    if not all(map(math.isfinite, found.values())):
        return Reply(error="an answer of another shape")
    return Reply(found)


def _reason_in(response: httpx.Response) -> str | None:
    """The error's code in Google's envelope: `errorType`, a `reason`, or the `status`."""
    try:
        error = response.json()["error"]
        details = [detail for detail in error.get("details", []) if isinstance(detail, dict)]
        codes = [detail.get(name) for detail in details for name in ("errorType", "reason")]
        codes.append(error.get("status"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return next((code for code in codes if isinstance(code, str) and _REASON.fullmatch(code)), None)
