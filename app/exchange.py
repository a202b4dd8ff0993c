"""What both clients share: how a request is put, when it is sent again, how an answer is read."""

import random
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypedDict, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from app.errors import ClientError, InvalidRequestError, RequestRefused, ServiceUnavailable
from app.ops.problems import problem_of
from app.reading import read_shape
from app.schemas import FeedbackRequest, Keeping, Problem, ScoreRequest

__all__ = [
    "BATCH_PATH",
    "FEEDBACK_PATH",
    "PORTION",
    "Asked",
    "Attempts",
    "Known",
    "Opinion",
    "Portions",
    "article_path",
    "batch_of",
    "body_of",
    "headers_for",
    "key_for",
    "read_answer",
    "request_for",
    "timeout_for",
]

BATCH_PATH = "/v1/score/batch"
FEEDBACK_PATH = "/v1/feedback"
PORTION = 100
"""Most items of a batch: few enough to be answered soon."""

Asked = ScoreRequest | Mapping[str, object]
"""A request as a schema, or as the JSON object it is on the wire."""

Opinion = FeedbackRequest | Mapping[str, object]
"""Feedback as a schema, or as the JSON object it is on the wire."""

_Answer = TypeVar("_Answer", bound=BaseModel)
_RETRIED = frozenset({429, 500, 502, 503, 504})
# After a timeout while reading or writing, the service may still be busy with the same work.
_LOST = (httpx.NetworkError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.RemoteProtocolError)
_BATCH_PATIENCE = 5
_LONGEST_PAUSE_S = 60.0
_PORTION_BYTES = 20_000_000


class Known(TypedDict, total=False):
    """What may be known of a comment besides its text; the names of the wire, flattened."""

    id: str
    language: str
    parent: str
    premise: str | list[str]
    title: str
    url: str
    article_id: str
    article_text: str
    explain: bool
    store: Keeping


def request_for(text: str, known: Known) -> ScoreRequest:
    """Return the request for one comment.

    Raises:
        RequestRefused: a field has the wrong type; it is told before anything is sent.
    """
    names = {"premise": "premise", "title": "title", "url": "url", "article_id": "id", "article_text": "text"}
    article = {names[key]: value for key, value in known.items() if key in names}
    rest = {key: value for key, value in known.items() if key not in names}
    explain, store = rest.pop("explain", False), rest.pop("store", None)
    if "parent" in rest:
        rest["parent"] = {"text": rest["parent"]}
    value = {"comment": {"text": text, **rest}, "article": article or None, "explain": explain}
    if store is not None:
        value["store"] = store
    try:
        return read_shape(ScoreRequest, value)
    except InvalidRequestError as refusal:
        raise RequestRefused(problem_of(refusal)) from None


def body_of(asked: Asked | Opinion) -> bytes:
    """Return a request as JSON.

    Raises:
        ClientError: it holds something that JSON cannot say, such as a lone surrogate.
    """
    try:
        if isinstance(asked, BaseModel):
            return asked.model_dump_json(exclude_none=True).encode()
        return to_json(asked)
    except ValueError:
        raise ClientError("the request holds text or a value that JSON in UTF-8 cannot say") from None


def batch_of(items: Iterable[bytes]) -> bytes:
    """Return the body of a batch of encoded requests."""
    return b'{"items":[' + b",".join(items) + b"]}"


def key_for(given: str | None) -> dict[str, str]:
    """Return the header that lets a request be sent again: with the key given, or else with a new one."""
    return {"Idempotency-Key": given or uuid.uuid4().hex}


def headers_for(api_key: str | None, headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return what is sent with every request.

    Raises:
        ClientError: the key cannot stand in a header.
    """
    if api_key is None:
        return dict(headers or {})
    if not (api_key.isascii() and api_key.isprintable()):
        raise ClientError("the API key holds characters that no key has")
    return {**(headers or {}), "X-API-Key": api_key}


def article_path(article_id: str) -> str:
    """Return the path of an article, its id percent-encoded."""
    # A dot is left alone by `quote`, and "." and ".." would be taken for steps in the path.
    encoded = quote(article_id, safe="")
    return "/v1/articles/" + (encoded.replace(".", "%2E") if not encoded.strip(".") else encoded)


def timeout_for(path: str, timeout_s: float) -> httpx.Timeout:
    """Return how long to wait for an answer; for that to a batch five times as long."""
    return httpx.Timeout(timeout_s, read=timeout_s * (_BATCH_PATIENCE if path == BATCH_PATH else 1))


class Portions:
    """Gathers encoded requests into batches of at most `items` items and 20 MB."""

    def __init__(self, items: int) -> None:
        self._items = items
        self._held: list[bytes] = []
        self._size = 0

    def add(self, item: bytes) -> list[bytes]:
        """Take one more; return the bodies of the batches that this completes."""
        bodies = []
        if self._held and self._size + len(item) > _PORTION_BYTES:
            bodies += self.rest()
        self._held.append(item)
        self._size += len(item)
        if len(self._held) >= self._items:
            bodies += self.rest()
        return bodies

    def rest(self) -> list[bytes]:
        """Return the body of what is held, or nothing."""
        bodies = [batch_of(self._held)] if self._held else []
        self._held, self._size = [], 0
        return bodies


class Attempts:
    """The tries of one request: exponential back-off with jitter, and Retry-After where it is sent.

    A pause is between half and all of `backoff_s` times two for each try so far, at most a minute.
    """

    def __init__(self, retries: int, backoff_s: float) -> None:
        self._left = retries
        self._pause_s = backoff_s

    def pause_after(self, outcome: httpx.Response | httpx.RequestError) -> float | None:
        """Return the seconds to wait before the next try, or None where there is none."""
        if isinstance(outcome, httpx.Response):
            again = outcome.status_code in _RETRIED
        else:
            again = isinstance(outcome, _LOST)
        if not again or self._left <= 0:
            return None
        asked = _retry_after_s(outcome) if isinstance(outcome, httpx.Response) else None
        pause = self._pause_s * random.uniform(0.5, 1.0) if asked is None else asked
        self._left -= 1
        self._pause_s *= 2
        return min(pause, _LONGEST_PAUSE_S)

    def settle(self, outcome: httpx.Response | httpx.RequestError) -> httpx.Response:
        """Return the answer after the last try, if it is a good one.

        Raises:
            ServiceUnavailable: there is none, or it is a 429 or 5xx.
            RequestRefused: it is another refusal.
        """
        if not isinstance(outcome, httpx.Response):
            reason = str(outcome) or type(outcome).__name__
            raise ServiceUnavailable(f"no answer from {outcome.request.url.copy_with(query=None)}: {reason}")
        if outcome.is_success:
            return outcome
        _refuse(outcome)


def read_answer(kind: type[_Answer], response: httpx.Response) -> _Answer:
    """Return a good answer, typed.

    Raises:
        ClientError: it is none of this service's.
    """
    try:
        return kind.model_validate_json(response.content)
    except ValidationError:
        raise ClientError(f"{response.request.url} did not answer as a Counterpoint service does") from None


def _refuse(response: httpx.Response) -> NoReturn:
    status = response.status_code
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        phrase = f"{status} {response.reason_phrase}".strip()
        problem = Problem(type="about:blank", title=phrase, status=status, detail=f"the answer was {phrase}")
    if status == 429 or status >= 500:
        raise ServiceUnavailable(f"{response.request.url.path}: {problem.detail}")
    raise RequestRefused(problem)


def _retry_after_s(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:  # HTTP knows no other time
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
