"""OpenAI's moderations endpoint, for the categories of which our attributes can speak.

harassment is INSULT, harassment/threatening THREAT, hate IDENTITY_ATTACK, hate/threatening the lower of
IDENTITY_ATTACK and THREAT. The other categories are always false with score 0, and apply to no input.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from app.access.needs import needs
from app.compat._reply import MODEL_HEADER, Reply
from app.errors import AppError
from app.limits.callers import Allowance, allowance_of
from app.ops.logging import log_failure
from app.ops.problems import refusal_of
from app.reading import is_blank, parse_body
from app.schemas import Attribute, Comment, ScoreAnswer, ScoreRequest
from app.service import CurrentService, Service
from app.settings import Settings, Threshold

__all__ = ["PATH", "error_for_status", "router"]

PATH = "/v1/moderations"

_SCORED: dict[str, tuple[Attribute, ...]] = {
    "harassment": ("INSULT",),
    "harassment/threatening": ("THREAT",),
    "hate": ("IDENTITY_ATTACK",),
    "hate/threatening": ("IDENTITY_ATTACK", "THREAT"),
}
_CATEGORIES = (
    *_SCORED,
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)

_KINDS = {429: "requests"}

router = APIRouter(include_in_schema=False, dependencies=[needs("score")])


class _ModerationError(AppError):
    """A refusal in OpenAI's words."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


@router.post(PATH)
async def moderate(request: Request, service: CurrentService) -> Response:
    """Score texts in OpenAI's categories."""
    return (await _guarded(request, service)).to_response()


def error_for_status(status: int, message: str) -> Reply:
    """Return the answer that says what a problem document of `status` says."""
    code = "invalid_api_key" if status == 401 else None
    return _error_reply(400 if status in {415, 422} else status, message, code=code)


async def _guarded(request: Request, service: Service) -> Reply:
    try:
        return await _moderate(await request.body(), service, allowance_of(request.scope))
    except _ModerationError as error:
        return _error_reply(400, str(error), param=error.param, code=error.code)
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is None:
            log_failure(error, request.state.request_id)
            return _error_reply(500, "Something went wrong here.")
        headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
        reply = error_for_status(refusal.status, refusal.detail)
        return Reply(reply.code, reply.content, reply.headers | headers)


async def _moderate(body: bytes, service: Service, allowance: Allowance | None) -> Reply:
    texts = _texts(await parse_body(body), service.settings)
    seen = [text for text in texts if not is_blank(text)]
    requests = [ScoreRequest(comment=Comment(text=text)) for text in seen]
    if allowance is not None:
        await allowance.take_all(len(requests) - 1)
    answers = iter(await _answers(requests, service))
    version = service.shelf.scorer.version
    results = []
    for i, text in enumerate(texts):
        if is_blank(text):
            results.append(_result({}, service.settings))
            continue
        answer = next(answers)
        version = answer.model
        results.append(_result(_scores(answer, i), service.settings))
    value = {"id": f"modr-{secrets.token_hex(12)}", "model": f"counterpoint-{version}", "results": results}
    return _reply(200, value, {MODEL_HEADER: version})


async def _answers(requests: Sequence[ScoreRequest], service: Service) -> list[ScoreAnswer]:
    if len(requests) == 1:
        return [await service.answer(requests[0])]
    answers = []
    for answer in await service.answer_many(requests):
        if isinstance(answer, BaseException):
            raise answer
        answers.append(answer)
    return answers


def _texts(value: object, settings: Settings) -> list[str]:
    given = value.get("input") if isinstance(value, dict) else None
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list) or not given:
        raise _ModerationError("'input' must be a string or a list of strings.", param="input")
    if all(isinstance(part, dict) for part in given):
        given = ["\n".join(_text_of_part(part) for part in given)]  # parts make up one input
    if len(given) > settings.max_batch_items:
        message = f"'input' has {len(given)} entries, at most {settings.max_batch_items} are allowed."
        raise _ModerationError(message, param="input", code="array_above_max_length")
    for i, text in enumerate(given):
        if not isinstance(text, str):
            raise _ModerationError(f"'input[{i}]' must be a string.", param=f"input[{i}]")
        if len(text.encode()) > settings.max_text_bytes:
            message = (
                f"'input[{i}]' has more than {settings.max_text_bytes} bytes in UTF-8, the most allowed."
            )
            raise _ModerationError(message, param=f"input[{i}]", code="string_above_max_length")
    return given


def _text_of_part(part: Mapping[str, Any]) -> str:
    text = part.get("text")
    if part.get("type") != "text" or not isinstance(text, str):
        raise _ModerationError("Only parts of type 'text' can be scored.", param="input")
    return text


def _scores(answer: ScoreAnswer, place: int) -> Mapping[Attribute, float]:
    attributes = answer.civility.attributes if answer.civility is not None else {}
    if not any(set(needed) <= attributes.keys() for needed in _SCORED.values()):
        message = f"'input[{place}]' is in a language that cannot be scored: {answer.language}."
        raise _ModerationError(message, param=f"input[{place}]", code="unsupported_language")
    return attributes


def _result(attributes: Mapping[Attribute, float], settings: Settings) -> dict[str, Any]:
    """Return the verdict: a category is true where every attribute behind it asks for a review."""
    known = {name: needed for name, needed in _SCORED.items() if set(needed) <= attributes.keys()}
    scores = {name: min(attributes[attribute] for attribute in needed) for name, needed in known.items()}
    verdicts = {
        name: all(_reaches(attributes[attribute], attribute, settings) for attribute in needed)
        for name, needed in known.items()
    }
    return {
        "flagged": any(verdicts.values()),
        "categories": {name: verdicts.get(name, False) for name in _CATEGORIES},
        "category_scores": {name: scores.get(name, 0.0) for name in _CATEGORIES},
        "category_applied_input_types": {name: ["text"] if name in known else [] for name in _CATEGORIES},
    }


def _reaches(score: float, attribute: Attribute, settings: Settings) -> bool:
    threshold: Threshold = getattr(settings.thresholds, attribute.lower())
    limit = threshold.reject if threshold.review is None else threshold.review
    return limit is not None and score >= limit


def _error_reply(status: int, message: str, *, param: str | None = None, code: str | None = None) -> Reply:
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    if status == 429:
        code = code or "rate_limit_exceeded"
    return _reply(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def _reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, to_json(value), {"Content-Type": "application/json", **(headers or {})})
