"""Taking what moderators and readers say a comment's labels should be."""

import re
from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.access.caller import caller_of
from app.access.needs import needs
from app.errors import InvalidRequestError
from app.feedback import Feedback
from app.openapi import body_of, problems
from app.premise import find_premise
from app.reading import parse_body, read_content_type, read_feedback
from app.schemas import Article, Claims, FeedbackBatch, FeedbackReceipt, FeedbackRequest, FieldProblem
from app.service import CurrentService, Service
from app.store.comments import ScoredComments, StoredComment
from app.store.feedback import RepeatableRequest
from app.store.naming import digest_of

__all__ = ["router"]

_KEY = "Idempotency-Key"
_ACCEPTED_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?")
_KEY_PARAMETER = {
    "name": _KEY,
    "in": "header",
    "required": False,
    "description": "The same request with the same key is kept once, and answered the same each time.",
    "schema": {"type": "string", "maxLength": 256},
}

router = APIRouter(tags=["feedback"], dependencies=[needs("feedback")])


@router.post(
    "/v1/feedback",
    status_code=201,
    response_model=FeedbackReceipt,
    responses=problems(400, 408, 413, 415, 422, 429, 503),
    openapi_extra=body_of(FeedbackRequest, or_else=FeedbackBatch) | {"parameters": [_KEY_PARAMETER]},
)
async def give_feedback(request: Request, service: CurrentService) -> Response:
    """Keep one opinion, or the `items` of several, all or none. What is answered 201 is not lost any more."""
    read_content_type(request.headers.get("content-type"))
    body = await request.body()
    items = read_feedback(await parse_body(body), service.settings)
    repeatable = _repeatable(request.headers.get(_KEY), body)
    caller = caller_of(request)
    feedback = await _completed(items, service, None if caller is None else caller.id)
    receipt, replayed = await service.ask_store(service.store.feedback.keep, feedback, repeatable)
    headers = {"Idempotency-Replayed": "true"} if replayed else None
    return Response(receipt.model_dump_json(), 201, headers=headers, media_type="application/json")


def _repeatable(key: str | None, body: bytes) -> RepeatableRequest | None:
    if key is None:
        return None
    if not _ACCEPTED_KEY.fullmatch(key):
        problem = FieldProblem(field=_KEY, message="must have 1 to 256 printable ASCII characters", limit=256)
        raise InvalidRequestError(f"{problem.field} {problem.message}", [problem])
    return RepeatableRequest(key, digest_of(body.decode("utf-8", "replace")))


async def _completed(
    items: Sequence[FeedbackRequest], service: Service, key_id: str | None
) -> list[Feedback]:
    """Add what is stored: the text of a comment that is only named, the premise a stance is towards."""
    articles = [item.article or Article() for item in items]
    store = service.store
    ids = {article.id for article in articles if article.id is not None}
    urls = {article.url for article in articles if article.url is not None}
    by_id, by_url = await service.ask_store(store.articles.premises, ids, urls) if ids or urls else ({}, {})
    named = {item.comment.id for item in items if item.comment.id is not None}
    stored = ScoredComments(await service.ask_store(store.comments.find, named) if named else [])
    completed, faults = [], []
    for i, (item, article) in enumerate(zip(items, articles, strict=True)):
        place = f"items.{i}." if len(items) > 1 else ""
        registered = by_id.get(article.id or "") or by_url.get(article.url or "")
        known = stored.of(item.comment.id, article.id) if item.comment.id is not None else None
        opinion = _opinion(item, article, registered, known, key_id)
        if not opinion.text:
            message = "is required: no comment with this id is stored with its text"
            faults.append(FieldProblem(field=f"{place}comment.text", message=message))
        elif item.stance is not None and opinion.premise is None:
            message = "is required with a stance: no premise is known for this comment"
            faults.append(FieldProblem(field=f"{place}article.premise", message=message))
        completed.append(opinion)
    if faults:
        raise InvalidRequestError(f"{faults[0].field} {faults[0].message}", faults)
    return completed


def _opinion(
    item: FeedbackRequest,
    article: Article,
    registered: Claims | None,
    known: StoredComment | None,
    key_id: str | None,
) -> Feedback:
    comment = item.comment
    language = comment.language or (known.language if known else None)
    return Feedback(
        source=item.source,
        text=comment.text if comment.text is not None else (known and known.text) or "",
        scores={str(name): score for name, score in item.labels.items()},
        stance=item.stance,
        premise=find_premise(article, registered) or (known.premise if known else None),
        languages=[language] if language else [],
        role=item.role,
        comment_id=comment.id,
        article_id=article.id or (known.article_id if known else None),
        article_url=article.url or (known.article_url if known else None),
        community_id=item.community,
        client_token=item.client_token,
        key_id=key_id,
    )
