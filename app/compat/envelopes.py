"""Foreign protocols keep their own error envelope, whichever part of the service refuses a request."""

import json
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.compat import openai
from app.compat._google import error_for_status, error_reply, key_not_valid
from app.compat._perspective_errors import invalid_request
from app.compat._reply import Reply
from app.ops.problems import PROBLEM_TYPE

__all__ = ["PROTOCOLS", "ForeignEnvelopes", "translation_for"]

_Translate = Callable[[int, str], Reply]
_KEPT = (
    "accept-encoding",
    "allow",
    "connection",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
)


def _google(status: int, detail: str) -> Reply:
    if status == 404:
        return error_reply(error_for_status(404, "Method not found."))
    if status == 401:
        return error_reply(key_not_valid(detail))
    if status in {400, 413}:
        return error_reply(invalid_request(detail))
    return error_reply(error_for_status(status, detail))


PROTOCOLS: dict[str, _Translate] = {
    "/v1alpha1/": _google,
    "/batch": _google,
    "/$discovery": _google,
    openai.PATH: openai.error_for_status,
}
"""Beginning of a path → how its clients want a problem's status and detail told."""


def translation_for(path: str) -> _Translate | None:
    """Return how problems are told to the clients of `path`, or None where as problem documents."""
    return next((tell for beginning, tell in PROTOCOLS.items() if path.startswith(beginning)), None)


class ForeignEnvelopes:
    """Middleware: turns problem documents into what the clients of another protocol expect.

    Args:
        app: what answers.
        protocols: as `PROTOCOLS`.
    """

    def __init__(self, app: ASGIApp, *, protocols: Mapping[str, _Translate]) -> None:
        self._app = app
        self._protocols = dict(protocols)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"] if scope["type"] == "http" else ""
        for beginning, translate in self._protocols.items():
            if path.startswith(beginning):
                send = _translating(send, translate)
                break
        await self._app(scope, receive, send)


def _translating(send: Send, translate: _Translate) -> Send:
    held: Message | None = None

    async def translated(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            if headers.get("content-type") == PROBLEM_TYPE:
                held = message
                return
        elif held is not None:  # a problem document is never sent in pieces
            reply = translate(held["status"], json.loads(message["body"])["detail"])
            kept = [(name, value) for name, value in held["headers"] if name.decode() in _KEPT]
            given = {**reply.headers, "Content-Length": str(len(reply.content))}
            headers_of_reply = [(name.lower().encode(), value.encode()) for name, value in given.items()]
            start, held = {**held, "status": reply.code, "headers": headers_of_reply + kept}, None
            await send(start)
            message = {**message, "body": reply.content}
        await send(message)

    return translated
