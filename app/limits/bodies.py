"""The limits of bodies, kept while these are being read, with or without a Content-Length."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BusyError, RefusedError, TooLargeError, TooSlowError
from app.ops.problems import problem_of, problem_response

__all__ = ["BodyLimit", "BodyLimits"]

_LINGER_S = 5.0


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much of bodies is read, and how slowly."""

    max_bytes: int
    """Most bytes of a body."""
    max_bytes_together: int
    """Most bytes of all bodies that are being read or answered."""
    grace_s: float
    """How many seconds a body may take, however small it is."""
    bytes_per_s: int
    """How many bytes must come in each second beyond that."""


class BodyLimit:
    """Middleware: reads each body before the app sees it, and refuses one over a limit.

    Args:
        app: what to protect.
        limits: those to keep.
        except_paths: paths that read their bodies themselves, piece by piece.
    """

    def __init__(self, app: ASGIApp, *, limits: BodyLimits, except_paths: Collection[str] = ()) -> None:
        self._app = app
        self._limits = limits
        self._except_paths = frozenset(except_paths)
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in self._except_paths:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self._limits.max_bytes:
            await self._refuse(self._too_large(), scope, receive, send)
            return
        pieces: list[bytes] = []
        try:
            if await self._read(pieces, receive):
                pieces[:] = [b"".join(pieces)]
                await self._app(scope, _replay(pieces[0], receive), send)
        except _Refused as refused:
            await self._refuse(refused.refusal, scope, receive, send)
        finally:
            self._held -= sum(map(len, pieces))

    async def _read(self, pieces: list[bytes], receive: Receive) -> bool:
        """Read a body to its end; returns False where the caller has gone away."""
        limits, loop, size = self._limits, asyncio.get_running_loop(), 0
        deadline = loop.time() + limits.grace_s
        while True:
            try:
                async with asyncio.timeout_at(deadline + size / limits.bytes_per_s):
                    message = await receive()
            except TimeoutError:
                rate = f"{limits.bytes_per_s} bytes a second after {limits.grace_s:g} s"
                raise _Refused(TooSlowError(f"The body comes more slowly than {rate}.")) from None
            if message["type"] == "http.disconnect":
                return False
            piece: bytes = message.get("body", b"")
            if size + len(piece) > limits.max_bytes:
                raise _Refused(self._too_large())
            if self._held + len(piece) > limits.max_bytes_together:
                raise _Refused(BusyError("Too many bytes of requests are held here; try again later."))
            pieces.append(piece)
            size += len(piece)
            self._held += len(piece)
            if not message.get("more_body", False):
                return True

    def _too_large(self) -> RefusedError:
        return TooLargeError(f"The body has more than {self._limits.max_bytes} bytes, the most allowed.")

    async def _refuse(self, refusal: RefusedError, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"Connection": "close"}
        if refusal.retry_after_s is not None:
            headers["Retry-After"] = str(refusal.retry_after_s)
        response = problem_response(problem_of(refusal), scope, headers)

        async def send_and_linger(message: Message) -> None:
            # Closing on a caller who is still sending would reset the connection and lose the answer.
            if message["type"] == "http.response.body":
                await send({**message, "more_body": True})
                await self._read_on(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await response(scope, receive, send_and_linger)

    async def _read_on(self, receive: Receive) -> None:
        left = 2 * self._limits.max_bytes
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


class _Refused(Exception):  # noqa: N818 - not an error of the app behind the middleware
    def __init__(self, refusal: RefusedError) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
