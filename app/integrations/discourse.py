"""Discourse: its webhook, which tells of each new post.

Sources: app/jobs/regular/emit_web_hook_event.rb and app/serializers/web_hook_post_serializer.rb of
discourse/discourse.
"""

import logging
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, Field
from starlette.responses import JSONResponse, Response

from app.integrations.payloads import Payload, plain_text, read_payload
from app.integrations.signatures import refuse_stale, signed_body
from app.reading import is_blank, parse_body, read_content_type
from app.schemas import Article, Comment, ScoreRequest
from app.service import CurrentService

__all__ = ["router"]

_SIGNATURE = "X-Discourse-Event-Signature"
_SECRETS = "COUNTERPOINT_DISCOURSE_SECRETS"
# With the second one Discourse sends the very same JSON under another name.
_MEDIA_TYPES = ("application/json", "application/x-www-form-urlencoded")
_REGULAR = 1
_log = logging.getLogger("counterpoint.integrations")

router = APIRouter(prefix="/integrations", include_in_schema=False)


class _Post(Payload):
    id: int
    created_at: AwareDatetime
    cooked: str
    post_number: int
    post_type: int = _REGULAR
    topic_id: int
    topic_title: Annotated[str, Field(max_length=2_000)] | None = None
    topic_archetype: str | None = None

    @property
    def is_public_comment(self) -> bool:
        """Whether a person wrote it for the public: no whisper, no notice of a closed topic, no message."""
        return self.post_type == _REGULAR and self.topic_archetype != "private_message"


@router.post("/discourse")
async def receive_event(request: Request, service: CurrentService) -> Response:
    """Score a new post; acknowledge every other event.

    The topic's title is the premise, unless one is registered for the article `discourse:<topic id>`.
    """
    settings = service.settings
    body = await signed_body(request, _SIGNATURE, settings.discourse_secrets, _SECRETS)
    read_content_type(request.headers.get("content-type"), _MEDIA_TYPES)
    value = await parse_body(body)
    if request.headers.get("X-Discourse-Event") != "post_created":
        return JSONResponse({"received": True, "scored": False})
    post = read_payload(_Post, value.get("post") if isinstance(value, dict) else None)
    refuse_stale(post.created_at, settings.webhook_tolerance_s)
    text = plain_text(post.cooked, settings.max_text_bytes, is_html=True)
    if is_blank(text) or not post.is_public_comment:
        return JSONResponse({"received": True, "scored": False})
    asked = ScoreRequest(comment=Comment(text=text, id=str(post.id)), article=_article_of(post))
    answer = await service.answer(asked, bulk=True)
    fields = {"post_id": post.id, "model": answer.model, "action": answer.decision.action}
    _log.info("a post is scored", extra={"fields": fields})
    reply = {"received": True, "scored": True, "answer": answer.model_dump(mode="json", exclude_unset=True)}
    return JSONResponse(reply)


def _article_of(post: _Post) -> Article | None:
    # The first post states the topic itself.
    if post.post_number == 1:
        return None
    title = (post.topic_title or "").replace("\0", "")
    return Article(id=f"discourse:{post.topic_id}", title=title or None)
