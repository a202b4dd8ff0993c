"""Asking a running service, from Python.

`Client` blocks, `AsyncClient` is awaited; they take the same arguments and give the same answers.
Both send a request again, after a growing and jittered pause, when the connection fails or the
service answers 429, 500, 502, 503 or 504; a Retry-After is honoured. A service that takes too long to
answer is not asked again. Every route that they use can safely be repeated.
"""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Literal, Self, TypeVar, Unpack

import httpx
from pydantic import BaseModel

from app.exchange import (
    BATCH_PATH,
    FEEDBACK_PATH,
    PORTION,
    Asked,
    Attempts,
    Known,
    Opinion,
    Portions,
    article_path,
    body_of,
    headers_for,
    key_for,
    read_answer,
    request_for,
    timeout_for,
)
from app.schemas import (
    ArticleRecord,
    ArticleSummary,
    BatchAnswer,
    FeedbackReceipt,
    ModelList,
    Problem,
    ScoreAnswer,
)

__all__ = ["AsyncClient", "Client"]

_Answer = TypeVar("_Answer", bound=BaseModel)
_TIMEOUT_S = 60.0
_JSON = {"Content-Type": "application/json"}


class Client:
    """A blocking client; use it as a context manager, or `close` it.

    Args:
        base_url: where the service is, for example `http://127.0.0.1:8000`.
        api_key: a key with the scopes that the methods called need; see docs/security.md.
        timeout_s: longest wait for one answer, in seconds; for that to a batch five times as long.
        retries: how often a failed request is sent again.
        backoff_s: first pause before a retry, in seconds; each further one is twice as long.
        headers: sent with every request.

    Every method raises `ServiceUnavailable` where no answer comes in spite of the retries, and
    `RequestRefused` where the service says no.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = _TIMEOUT_S,
        retries: int = 4,
        backoff_s: float = 0.5,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http = httpx.Client(base_url=base_url, headers=headers_for(api_key, headers))
        self._timeout_s, self._retries, self._backoff_s = timeout_s, retries, backoff_s

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def score(self, text: str, **known: Unpack[Known]) -> ScoreAnswer:
        """Score one comment; `known` is what `Known` names, such as `premise`, a claim or a list of them."""
        return self.score_request(request_for(text, known))

    def score_request(self, asked: Asked) -> ScoreAnswer:
        """Score one comment as a full request."""
        return self._ask(ScoreAnswer, "POST", "/v1/score", body_of(asked))

    def score_batch(self, asked: Sequence[Asked]) -> list[ScoreAnswer | Problem]:
        """Score any number of comments: an answer or a problem for each, in order."""
        return list(self._answers(asked, PORTION))

    def stream(self, asked: Iterable[Asked], *, portion: int = PORTION) -> Iterator[ScoreAnswer | Problem]:
        """Score comments as they come, in order; at most `portion` of them are held in memory."""
        return self._answers(asked, portion)

    def put_article(
        self, article_id: str, premise: str | list[str], *, url: str | None = None, title: str | None = None
    ) -> ArticleRecord:
        """Register the premise of an article, a claim or a list of them, or replace it."""
        body = body_of({"premise": premise, "url": url, "title": title})
        return self._ask(ArticleRecord, "PUT", article_path(article_id), body)

    def get_article(self, article_id: str) -> ArticleRecord:
        """Return what is registered for an article."""
        return self._ask(ArticleRecord, "GET", article_path(article_id))

    def delete_article(self, article_id: str) -> None:
        """Forget an article."""
        self._send("DELETE", article_path(article_id))

    def article_summary(
        self, article_id: str, *, by: Literal["hour", "day", "week"] = "day"
    ) -> ArticleSummary:
        """Count an article's stored comments by stance and civility."""
        path = f"{article_path(article_id)}/summary?by={by}"
        return self._ask(ArticleSummary, "GET", path)

    def give_feedback(self, opinions: Sequence[Opinion], *, key: str | None = None) -> FeedbackReceipt:
        """Say what comments' labels should be; once this returns, all of it is kept for good.

        `key` names the request, so that it can be given again after a failure and is kept once.
        """
        body = b'{"items":[' + b",".join(map(body_of, opinions)) + b"]}"
        return self._ask(FeedbackReceipt, "POST", FEEDBACK_PATH, body, key_for(key))

    def models(self) -> ModelList:
        """Return the versions that the service has."""
        return self._ask(ModelList, "GET", "/v1/models")

    def _answers(self, asked: Iterable[Asked], portion: int) -> Iterator[ScoreAnswer | Problem]:
        portions = Portions(portion)
        for item in asked:
            for body in portions.add(body_of(item)):
                yield from self._batch(body)
        for body in portions.rest():
            yield from self._batch(body)

    def _batch(self, body: bytes) -> list[ScoreAnswer | Problem]:
        return self._ask(BatchAnswer, "POST", BATCH_PATH, body).results

    def _ask(
        self,
        kind: type[_Answer],
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        return read_answer(kind, self._send(method, path, body, headers))

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        attempts = Attempts(self._retries, self._backoff_s)
        while True:
            try:
                outcome: httpx.Response | httpx.RequestError = self._http.request(
                    method,
                    path,
                    content=body,
                    headers=None if body is None else {**_JSON, **(headers or {})},
                    timeout=timeout_for(path, self._timeout_s),
                )
            except httpx.RequestError as error:
                outcome = error
            if (pause := attempts.pause_after(outcome)) is None:
                return attempts.settle(outcome)
            time.sleep(pause)


class AsyncClient:
    """The same as `Client`, to be awaited; use it as an async context manager, or `aclose` it."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = _TIMEOUT_S,
        retries: int = 4,
        backoff_s: float = 0.5,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers_for(api_key, headers))
        self._timeout_s, self._retries, self._backoff_s = timeout_s, retries, backoff_s

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def score(self, text: str, **known: Unpack[Known]) -> ScoreAnswer:
        """Score one comment; `known` is what `Known` names, such as `premise`, a claim or a list of them."""
        return await self.score_request(request_for(text, known))

    async def score_request(self, asked: Asked) -> ScoreAnswer:
        """Score one comment as a full request."""
        return await self._ask(ScoreAnswer, "POST", "/v1/score", body_of(asked))

    async def score_batch(self, asked: Sequence[Asked]) -> list[ScoreAnswer | Problem]:
        """Score any number of comments: an answer or a problem for each, in order."""
        return [answer async for answer in self.stream(asked)]

    async def stream(
        self, asked: Iterable[Asked] | AsyncIterable[Asked], *, portion: int = PORTION
    ) -> AsyncIterator[ScoreAnswer | Problem]:
        """Score comments as they come, in order; at most `portion` of them are held in memory."""
        portions = Portions(portion)
        async for item in _each(asked):
            for body in portions.add(body_of(item)):
                for answer in await self._batch(body):
                    yield answer
        for body in portions.rest():
            for answer in await self._batch(body):
                yield answer

    async def put_article(
        self, article_id: str, premise: str | list[str], *, url: str | None = None, title: str | None = None
    ) -> ArticleRecord:
        """Register the premise of an article, a claim or a list of them, or replace it."""
        body = body_of({"premise": premise, "url": url, "title": title})
        return await self._ask(ArticleRecord, "PUT", article_path(article_id), body)

    async def get_article(self, article_id: str) -> ArticleRecord:
        """Return what is registered for an article."""
        return await self._ask(ArticleRecord, "GET", article_path(article_id))

    async def delete_article(self, article_id: str) -> None:
        """Forget an article."""
        await self._send("DELETE", article_path(article_id))

    async def article_summary(
        self, article_id: str, *, by: Literal["hour", "day", "week"] = "day"
    ) -> ArticleSummary:
        """Count an article's stored comments by stance and civility."""
        path = f"{article_path(article_id)}/summary?by={by}"
        return await self._ask(ArticleSummary, "GET", path)

    async def give_feedback(self, opinions: Sequence[Opinion], *, key: str | None = None) -> FeedbackReceipt:
        """Say what comments' labels should be; once this returns, all of it is kept for good.

        `key` names the request, so that it can be given again after a failure and is kept once.
        """
        body = b'{"items":[' + b",".join(map(body_of, opinions)) + b"]}"
        return await self._ask(FeedbackReceipt, "POST", FEEDBACK_PATH, body, key_for(key))

    async def models(self) -> ModelList:
        """Return the versions that the service has."""
        return await self._ask(ModelList, "GET", "/v1/models")

    async def _batch(self, body: bytes) -> list[ScoreAnswer | Problem]:
        return (await self._ask(BatchAnswer, "POST", BATCH_PATH, body)).results

    async def _ask(
        self,
        kind: type[_Answer],
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        return read_answer(kind, await self._send(method, path, body, headers))

    async def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        attempts = Attempts(self._retries, self._backoff_s)
        while True:
            try:
                outcome: httpx.Response | httpx.RequestError = await self._http.request(
                    method,
                    path,
                    content=body,
                    headers=None if body is None else {**_JSON, **(headers or {})},
                    timeout=timeout_for(path, self._timeout_s),
                )
            except httpx.RequestError as error:
                outcome = error
            if (pause := attempts.pause_after(outcome)) is None:
                return attempts.settle(outcome)
            await asyncio.sleep(pause)


async def _each(asked: Iterable[Asked] | AsyncIterable[Asked]) -> AsyncIterator[Asked]:
    if isinstance(asked, AsyncIterable):
        async for item in asked:
            yield item
    else:
        for item in asked:
            yield item
