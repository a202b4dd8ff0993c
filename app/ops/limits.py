"""The body limit, kept while the body is being read, with or without a Content-Length."""

import asyncio
from collections.abc import Collection
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooLargeError
from app.ops.problems import problem_of, problem_response

__all__ = ["BodyLimit"]

_LINGER_S = 5.0


class BodyLimit:
    """Middleware: reads each body before the app sees it, and answers 413 to one over the limit.

    Args:
        app: what to protect.
        max_bytes: most bytes of a body.
        except_paths: paths that read their bodies themselves, piece by piece.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, except_paths: Collection[str] = ()) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._except_paths = frozenset(except_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in self._except_paths:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                body.clear()
                await self._refuse(scope, receive, send)
                return
        await self._app(scope, _replay(bytes(body), receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = TooLargeError(f"The body has more than {self._max_bytes} bytes, the most allowed.")
        response = problem_response(problem_of(refusal), scope, {"Connection": "close"})

        async def send_and_linger(message: Message) -> None:
            # Closing on a caller who is still sending would reset the connection and lose the answer.
            if message["type"] == "http.response.body":
                await send({**message, "more_body": True})
                await self._read_on(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await response(scope, receive, send_and_linger)

    async def _read_on(self, receive: Receive) -> None:
        left = 2 * self._max_bytes
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
