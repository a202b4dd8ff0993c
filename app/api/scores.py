"""Scoring one comment, a batch, a stream."""

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.access.needs import needs
from app.api.stream import DuplexResponse, Line, StreamPace, answer_lines, split_lines, unless_idle
from app.errors import RefusedError, TooLargeError
from app.limits.callers import allowance_of
from app.limits.leaving import unless_gone
from app.openapi import NDJSON, body_of, problems
from app.ops.logging import log_failure
from app.ops.problems import INTERNAL_PROBLEM, problem_of, refusal_of
from app.reading import (
    comment_id_in,
    parse_body,
    parse_json,
    read_batch,
    read_content_type,
    read_score_request,
)
from app.schemas import BatchAnswer, BatchRequest, Problem, ScoreAnswer, ScoreRequest
from app.service import CurrentService, Service

__all__ = ["STREAM_PATH", "router"]

STREAM_PATH = "/v1/score/stream"
_LINES = (NDJSON, "application/ndjson", "application/jsonl", "application/json")

_ANSWER_A_LINE = {
    "description": "An answer or a problem a line, in the order of the requests.",
    "content": {NDJSON: {"schema": {"$ref": "#/components/schemas/ScoreAnswer"}}},
}

router = APIRouter(tags=["scores"], dependencies=[needs("score")])


@router.post(
    "/v1/score",
    response_model=ScoreAnswer,
    responses=problems(400, 408, 413, 415, 422, 429, 503),
    openapi_extra=body_of(ScoreRequest),
)
async def score(request: Request, service: CurrentService) -> Response:
    """Score one comment: its civility, its stance towards the article's premise, and a decision."""
    read_content_type(request.headers.get("content-type"))
    asked = read_score_request(await parse_body(await request.body()), service.settings)
    return _json(await service.answer(asked))


@router.post(
    "/v1/score/batch",
    response_model=BatchAnswer,
    responses=problems(400, 408, 413, 415, 422, 429, 503),
    openapi_extra=body_of(BatchRequest),
)
async def score_batch(request: Request, service: CurrentService) -> Response:
    """Score many comments: an answer or a problem for each item, in order."""
    read_content_type(request.headers.get("content-type"))
    body = await request.body()
    value, items = await to_thread.run_sync(_read_batch, body, service)
    good = [item for item in items if isinstance(item, ScoreRequest)]
    try:
        outcomes = await unless_gone(request.receive, _answer_within_rate(good, request, service))
    except ClientDisconnect:
        return Response(status_code=499)
    answers = iter(outcomes)
    results = [
        _result(next(answers) if isinstance(item, ScoreRequest) else item, request, comment_id_in(given))
        for item, given in zip(items, value["items"], strict=True)
    ]
    return await to_thread.run_sync(_batch_answer, results)


@router.post(
    STREAM_PATH,
    status_code=200,
    response_class=DuplexResponse,
    responses={200: _ANSWER_A_LINE, **problems(415, 429, 503)},
    openapi_extra=body_of(ScoreRequest, NDJSON),
)
async def score_stream(request: Request, service: CurrentService) -> DuplexResponse:
    """Score any number of comments: a request a line in, an answer or a problem a line out, in order.

    Answers are sent while requests still come, so read them while you send.
    """
    read_content_type(request.headers.get("content-type"), _LINES)
    settings = service.settings

    pace = StreamPace(allowance_of(request.scope))

    async def answer(line: Line) -> bytes:
        await pace.wait()
        return _line(await _answer_line(line, service, request))

    lines = split_lines(unless_idle(request.stream(), settings.stream_idle_s), settings.max_line_bytes)
    return DuplexResponse(answer_lines(lines, answer, settings.stream_window, settings.stream_window_bytes))


async def _answer_within_rate(
    items: list[ScoreRequest], request: Request, service: Service
) -> list[ScoreAnswer | BaseException]:
    """Answer as many items as the caller's rate allows; the rest is refused, each by itself."""
    allowance, granted = allowance_of(request.scope), len(items)
    if allowance is not None and granted > 1:
        granted = 1 + await allowance.take(granted - 1, partly=True)
    answers = await service.answer_many(items[:granted])
    if allowance is not None and granted < len(items):
        answers += [allowance.refusal()] * (len(items) - granted)
    return answers


def _read_batch(
    body: bytes, service: Service
) -> tuple[dict[str, list[object]], list[ScoreRequest | RefusedError]]:
    value = parse_json(body)
    return value, list(read_batch(value, service.settings))


async def _answer_line(line: Line, service: Service, request: Request) -> ScoreAnswer | Problem:
    given: object = None
    try:
        if line.content is None:
            limit = service.settings.max_line_bytes
            raise TooLargeError(f"The line has more than {limit} bytes, the most allowed.")
        given = await parse_body(line.content)
        return await service.answer(read_score_request(given, service.settings), bulk=True)
    except Exception as error:
        return _result(error, request, comment_id_in(given), line.number)


def _result(
    outcome: ScoreAnswer | BaseException, request: Request, comment_id: str | None, line: int | None = None
) -> ScoreAnswer | Problem:
    if isinstance(outcome, ScoreAnswer):
        return outcome
    refusal = refusal_of(outcome)
    if refusal is not None:
        return problem_of(refusal, id=comment_id, line=line)
    log_failure(outcome, request.state.request_id)
    place = {"id": comment_id, "line": line}
    return INTERNAL_PROBLEM.model_copy(update={name: value for name, value in place.items() if value})


def _batch_answer(results: list[ScoreAnswer | Problem]) -> Response:
    return _json(BatchAnswer(results=results))


def _json(answer: ScoreAnswer | BatchAnswer) -> Response:
    return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")


def _line(answer: ScoreAnswer | Problem) -> bytes:
    return answer.model_dump_json(exclude_unset=True).encode() + b"\n"
