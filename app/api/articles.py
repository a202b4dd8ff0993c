"""Registering the claims of an article, so that a comment need not bring them along."""

import unicodedata
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import JsonValue
from starlette.responses import Response

from app.access.needs import needs
from app.errors import InvalidRequestError, NotFoundError
from app.openapi import body_of, problems
from app.reading import parse_body, read_content_type, read_registration
from app.schemas import ArticleRecord, ArticleRegistration, FieldProblem
from app.service import CurrentService

__all__ = ["ArticleId", "router"]

_MAX_ID_CHARACTERS = 256
_SUMMARY = "/summary"
# What is checked below, for the document alone: its answers name the id, whose problem they tell.
_NO_CONTROL = r"[^\x00-\x1f\x7f-\x9f\ufffd]*"
_ID_SCHEMA: dict[str, JsonValue] = {
    "maxLength": _MAX_ID_CHARACTERS,
    "pattern": rf"^{_NO_CONTROL}[^\x00-\x20\x7f-\xa0\s\ufffd]{_NO_CONTROL}$",
}

router = APIRouter(tags=["articles"])


def _checked_id(article_id: Annotated[str, Path(json_schema_extra=_ID_SCHEMA)]) -> str:
    # A server turns bytes that are not UTF-8 into U+FFFD, which would make different ids one.
    broken = any(unicodedata.category(char) in {"Cc", "Cs"} or char == "\ufffd" for char in article_id)
    if not article_id.strip():
        problem = FieldProblem(field="id", message="is empty")
    elif len(article_id) > _MAX_ID_CHARACTERS:
        message = f"has {len(article_id)} characters, at most {_MAX_ID_CHARACTERS} allowed"
        problem = FieldProblem(field="id", message=message, limit=_MAX_ID_CHARACTERS)
    elif broken:
        problem = FieldProblem(field="id", message="must be UTF-8 without control characters")
    else:
        return article_id
    raise InvalidRequestError(f"The article's id {problem.message}.", [problem])


ArticleId = Annotated[str, Depends(_checked_id)]


@router.put(
    "/v1/articles/{article_id:path}",
    dependencies=[needs("feedback")],
    response_model=ArticleRecord,
    responses={
        201: {"model": ArticleRecord, "description": "The article is new."},
        **problems(400, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra=body_of(ArticleRegistration),
)
async def put_article(request: Request, article_id: ArticleId, service: CurrentService) -> Response:
    """Register or replace the premise of an article, a claim or a list. The id is percent-encoded text."""
    read_content_type(request.headers.get("content-type"))
    if article_id.endswith(_SUMMARY):
        problem = FieldProblem(field="id", message=f"must not end in {_SUMMARY}, which is another route")
        raise InvalidRequestError(f"The article's id {problem.message}.", [problem])
    registration = read_registration(await parse_body(await request.body()), service.settings)
    is_new = await service.ask_store(service.store.articles.put, article_id, registration)
    record = ArticleRecord(id=article_id, **registration.model_dump())
    return Response(record.model_dump_json(), 201 if is_new else 200, media_type="application/json")


@router.get(
    "/v1/articles/{article_id:path}", dependencies=[needs("score")], responses=problems(404, 422, 429, 503)
)
async def get_article(article_id: ArticleId, service: CurrentService) -> ArticleRecord:
    """Return what is registered for an article."""
    record = await service.ask_store(service.store.articles.get, article_id)
    if record is None:
        raise NotFoundError("No article is registered under this id.")
    return record


@router.delete(
    "/v1/articles/{article_id:path}",
    dependencies=[needs("feedback")],
    status_code=204,
    responses=problems(404, 422, 429, 503),
)
async def delete_article(article_id: ArticleId, service: CurrentService) -> None:
    """Forget an article."""
    if not await service.ask_store(service.store.articles.delete, article_id):
        raise NotFoundError("No article is registered under this id.")
