"""The Perspective API: comments:analyze, comments:suggestscore, the discovery document, batches."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.access.access import require_scope
from app.access.caller import Caller, caller_of
from app.access.gate import came_on_loopback
from app.access.keys import KeyScope, read_key
from app.access.needs import needs
from app.compat._batch import Call, read_batch_body, write_batch_body
from app.compat._discovery import discovery_document
from app.compat._google import Layout, error_for_status, error_of, error_reply, read_layout
from app.compat._perspective_answer import analyze, detect_language
from app.compat._perspective_errors import invalid_json, invalid_request
from app.compat._perspective_request import SuggestRequest, read_analyze_request, read_suggest_request
from app.compat._reply import MODEL_HEADER, Reply
from app.errors import MalformedBodyError
from app.feedback import Feedback, SpanFeedback
from app.limits.callers import allowance_of, allowance_of_key
from app.ops.logging import log_failure
from app.premise import find_premise
from app.reading import parse_body
from app.schemas import Article
from app.service import CurrentService, Service

__all__ = ["router"]

_ANALYZE, _SUGGEST = "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore"
_SCOPES: dict[str, KeyScope] = {_ANALYZE: "score", _SUGGEST: "feedback"}
_VERSION = "v1alpha1"
_HOST = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")

_Answered = tuple[object, dict[str, str]]
_Method = Callable[[object, Service, Caller | None, bool], Awaitable[_Answered]]
_Answer = Callable[[Layout], Awaitable[Reply]]

# The protocol describes itself in its discovery document; our own OpenAPI document leaves it out.
router = APIRouter(include_in_schema=False)


@router.post(_ANALYZE, dependencies=[needs("score")])
async def analyze_comment(request: Request, service: CurrentService) -> Response:
    """Score a comment."""
    return await _serve(_analyze, request, service)


@router.post(_SUGGEST, dependencies=[needs("feedback")])
async def suggest_score(request: Request, service: CurrentService) -> Response:
    """Take the scores that a comment should have."""
    return await _serve(_suggest, request, service)


@router.get("/$discovery/rest")
async def discover(request: Request) -> Response:
    """Describe the API to client libraries."""

    async def answer(layout: Layout) -> Reply:
        if request.query_params.get("version", _VERSION) != _VERSION:
            raise error_for_status(404, "Requested entity was not found.")
        return layout.reply(discovery_document(_root_url(request)))

    return (await _guarded(answer, request.query_params, request)).to_response()


@router.post("/batch")
@router.post("/batch/commentanalyzer/v1alpha1")
async def batch(request: Request, service: CurrentService) -> Response:
    """Answer up to 100 calls together; one bad call never spoils the others."""

    async def answer(_: Layout) -> Reply:
        calls = read_batch_body(request.headers.get("content-type"), await request.body())
        if any(call.path == _SUGGEST for call in calls):  # of the same client token the last one counts
            replies = [await _answer_call(i, call, request, service) for i, call in enumerate(calls)]
        else:
            answers = (_answer_call(i, call, request, service) for i, call in enumerate(calls))
            replies = await asyncio.gather(*answers)
        return write_batch_body(calls, replies)

    return (await _guarded(answer, request.query_params, request)).to_response()


async def _serve(method: _Method, request: Request, service: Service) -> Response:
    async def answer(layout: Layout) -> Reply:
        return await _call_method(
            method, await request.body(), layout, service, caller_of(request), bulk=False
        )

    return (await _guarded(answer, request.query_params, request)).to_response()


async def _answer_call(place: int, call: Call, request: Request, service: Service) -> Reply:
    async def answer(layout: Layout) -> Reply:
        caller = await _caller_of_call(call, request, service)
        await _count(place, caller, request, service)
        method = {_ANALYZE: _analyze, _SUGGEST: _suggest}.get(call.path)
        if method is None or call.method != "POST":
            raise error_for_status(404, "Method not found.")
        require_scope(caller, _SCOPES[call.path])
        return await _call_method(method, call.body, layout, service, caller, bulk=True)

    return await _guarded(answer, call.query, request)


async def _caller_of_call(call: Call, request: Request, service: Service) -> Caller | None:
    """Return whose key stands in a call of a batch, or else on the batch."""
    given, known = call.query.get("key", ""), caller_of(request)
    if known is not None and read_key(given) is None:
        return known
    credentials = [given] if given else []
    return await service.access.admit(credentials, on_loopback=came_on_loopback(request.scope))


async def _count(place: int, caller: Caller | None, request: Request, service: Service) -> None:
    """Count a call of a batch on its caller's rate: a key is held to its own wherever it stands.

    Raises:
        TooManyRequestsError: there is no room for it.
    """
    if caller == caller_of(request):
        allowance = None if place == 0 else allowance_of(request.scope)  # the first came with the request
    else:
        default = service.settings.requests_a_minute
        allowance = None if caller is None else allowance_of_key(caller, service.rates, default)
    if allowance is not None:
        await allowance.take_all(1)


async def _call_method(
    method: _Method, body: bytes, layout: Layout, service: Service, caller: Caller | None, *, bulk: bool
) -> Reply:
    value, headers = await method(await _read_json(body), service, caller, bulk)
    return layout.reply(layout.parts_of(value), headers)


async def _analyze(value: object, service: Service, _: Caller | None, bulk: bool) -> _Answered:
    asked = read_analyze_request(value, service.settings)
    answer, version = await analyze(asked, service, bulk=bulk)
    return answer, {MODEL_HEADER: version}


async def _suggest(value: object, service: Service, caller: Caller | None, _: bool) -> _Answered:
    suggested = read_suggest_request(value, service.settings)
    if not suggested.do_not_store:
        feedback = _feedback_of(suggested, None if caller is None else caller.id)
        await service.ask_store(service.store.feedback.add, feedback)
    detected = detect_language(suggested.text, suggested.languages, service)
    answer: dict[str, Any] = {} if suggested.client_token is None else {"clientToken": suggested.client_token}
    answer["detectedLanguages"] = [detected]
    answer["requestedLanguages"] = suggested.languages or [detected]
    return answer, {}


def _feedback_of(suggested: SuggestRequest, key_id: str | None) -> Feedback:
    scores = suggested.scores
    article = suggested.article or Article()
    return Feedback(
        source="perspective",
        text=suggested.text,
        stance=suggested.stance,
        premise=find_premise(article),
        article_url=article.url,
        scores={name: given.summary for name, given in scores.items() if given.summary is not None},
        spans=[SpanFeedback(name, *span) for name, given in scores.items() for span in given.spans],
        languages=suggested.languages,
        context=suggested.context,
        community_id=suggested.community_id,
        client_token=suggested.client_token,
        session_id=suggested.session_id,
        key_id=key_id,
    )


async def _read_json(body: bytes) -> object:
    if not body.strip():
        return {}  # some clients try a key with an empty request
    try:
        return await parse_body(body)
    except MalformedBodyError as error:
        raise invalid_json(error.detail) from None


async def _guarded(answer: _Answer, query: Mapping[str, str], request: Request) -> Reply:
    """Answer with whatever goes wrong in Google's envelope."""
    layout = Layout()
    try:
        layout = read_layout(query)
        return await answer(layout)
    except Exception as error:
        told = error_of(error)
        if told is None:
            log_failure(error, request.state.request_id)
            told = error_for_status(500, "Internal error encountered.")
        return error_reply(told, layout)


def _root_url(request: Request) -> str:
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    scheme = forwarded if forwarded in {"http", "https"} else request.url.scheme
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise invalid_request("The Host header names no host.")
    return f"{scheme}://{host}{request.scope.get('root_path', '').rstrip('/')}/"
