"""Coral: its external moderation phase, and its webhooks.

Sources: docs/docs/external-moderation-phases.md and docs/docs/webhooks.md of coralproject/talk.
"""

import asyncio
import logging
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, Field
from starlette.responses import JSONResponse, Response

from app.errors import BusyError, InvalidRequestError
from app.integrations.headline import fetch_headline
from app.integrations.payloads import Payload, plain_text, read_payload
from app.integrations.signatures import refuse_stale, signed_body
from app.reading import is_blank, parse_body, read_content_type, read_registration
from app.schemas import Action, Comment, ScoreAnswer, ScoreRequest
from app.service import CurrentService, Service

__all__ = ["router"]

_SIGNATURE = "X-Coral-Signature"
_SECRETS = "COUNTERPOINT_CORAL_SECRETS"
_log = logging.getLogger("counterpoint.integrations")

# A flag and SYSTEM_WITHHELD are what Coral's own toxic-comment phase gives. Never APPROVED: that would
# publish what a site wants to moderate beforehand.
_TOXIC = [{"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}]
_REPLIES: dict[Action, dict[str, Any]] = {
    "review": {"actions": _TOXIC, "status": "SYSTEM_WITHHELD"},
    "reject": {"actions": _TOXIC, "status": "REJECTED"},
}

router = APIRouter(prefix="/integrations/coral", include_in_schema=False)


_Storable = Annotated[str, Field(pattern=r"^[^\x00]+$")]  # PostgreSQL cannot be asked for NUL


class _Comment(Payload):
    body: str


class _ModerationRequest(Payload):
    comment: _Comment


class _Event(Payload):
    type: str
    createdAt: AwareDatetime  # noqa: N815 - Coral's name


class _Story(Payload):
    storyID: Annotated[_Storable, Field(max_length=256)]  # noqa: N815
    storyURL: Annotated[_Storable, Field(max_length=2048)]  # noqa: N815


class _StoryCreated(Payload):
    data: _Story


@router.post("/phase")
async def moderate(request: Request, service: CurrentService) -> Response:
    """Say what to do with a comment that is being posted or edited; 204 where there is no opinion.

    The stance is not told, since Coral has no word for it, and so no premise is looked up.
    """
    settings = service.settings
    body = await signed_body(request, _SIGNATURE, settings.coral_secrets, _SECRETS)
    read_content_type(request.headers.get("content-type"))
    asked = read_payload(_ModerationRequest, await parse_body(body))
    is_html = settings.coral_format == "HTML"
    text = plain_text(asked.comment.body, settings.max_text_bytes, is_html=is_html)
    answer = None if is_blank(text) else await _answer_in_time(text, service)
    # Without civility the language is unknown here: that is no opinion, and certainly no toxicity.
    reply = None if answer is None or answer.civility is None else _REPLIES.get(answer.decision.action)
    return Response(status_code=204) if reply is None else JSONResponse(reply)


@router.post("/webhook")
async def receive_event(request: Request, service: CurrentService) -> Response:
    """Register the premise of a new story; acknowledge every other event.

    Whatever is rightly signed and fresh is answered 200: Coral switches an endpoint off after ten failures.
    """
    body = await signed_body(request, _SIGNATURE, service.settings.coral_secrets, _SECRETS)
    read_content_type(request.headers.get("content-type"))
    value = await parse_body(body)
    event = read_payload(_Event, value)
    refuse_stale(event.createdAt, service.settings.webhook_tolerance_s)
    if event.type != "STORY_CREATED":
        return JSONResponse({"received": True})
    outcome = await _register(read_payload(_StoryCreated, value).data, service)
    return JSONResponse({"received": True, "registered": outcome == "registered", "outcome": outcome})


async def _answer_in_time(text: str, service: Service) -> ScoreAnswer | None:
    try:
        async with asyncio.timeout(service.settings.coral_deadline_ms / 1_000):
            return await service.answer(ScoreRequest(comment=Comment(text=text)))
    except (TimeoutError, BusyError) as error:
        _log.warning("no opinion for Coral in time: %s", type(error).__name__)
        return None


async def _register(story: _Story, service: Service) -> str:
    by_id, by_url = await service.ask_store(
        service.store.articles.premises, {story.storyID}, {story.storyURL}
    )
    if by_id or by_url:
        return "already known"
    settings = service.settings
    headline = await fetch_headline(story.storyURL, settings.coral_story_hosts, settings.coral_story_networks)
    if headline is None:
        return "no headline"
    values = {"premise": headline, "title": headline, "url": story.storyURL}
    try:
        registration = read_registration(values, settings)
    except InvalidRequestError:
        return "not storable"
    await service.ask_store(service.store.articles.put, story.storyID, registration)
    return "registered"
