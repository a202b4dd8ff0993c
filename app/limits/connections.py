"""uvicorn's HTTP/1.1 with bounds: connections, size and time of a request's head, refusals at once.

uvicorn itself bounds none of these. A request that cannot be answered in time is refused here, before a
task is made for it: a refusal must cost far less than an answer, or refusing would use up the service.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.errors import BusyError, HeadersTooLargeError, TooSlowError
from app.limits.admission import Coming, Gate, ReadyRefusal
from app.limits.refusals import ready_refusal

__all__ = ["BoundedHttp", "ConnectionLimits"]

_SPARE = 100  # connections beyond the limit that are still told why they are refused
_LINGER_S = 2.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may do."""

    most: int
    """Most connections at once."""
    head_bytes: int
    """Most bytes of a request line with its headers."""
    head_s: float
    """Within how many seconds they must be here."""
    ending: set[object] = field(default_factory=set)
    """Those that have been refused and are about to be closed."""


class _Answered:
    """Stands for a request that was answered without an application."""

    response_complete = True
    message_event = asyncio.Event()


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, to be named as its `http`. Limits and gate are in the lifespan's state."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits: ConnectionLimits = app_state["connections"]
        self._gate: Gate = app_state["gate"]
        self._awaits_head = True
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_extra = False
        self._is_counted = False
        self._refused = False
        self._over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self._is_extra = len(self.connections) - len(self._limits.ending) > self._limits.most
        if self._is_extra and len(self.connections) > self._limits.most + _SPARE:
            transport.abort()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._head_is_here()
        self._limits.ending.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless it is too much."""
        if self._over:
            return
        if self._awaits_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._awaits_head and self._head_bytes > self._limits.head_bytes:
            self._end(self._head_too_large())

    def on_message_begin(self) -> None:
        """Expect a head."""
        super().on_message_begin()
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Let the request in, or refuse it."""
        if self._over:
            return
        self._awaits_head, self._head_bytes = False, 0
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        path = self.url.partition(b"?")[0].decode("latin-1")
        if size > self._limits.head_bytes:
            self._end(self._head_too_large())
        elif self._is_extra:
            self._end(ready_refusal(path, BusyError("Too many connections are open here; try again later.")))
        elif self._is_idle() and (refusal := self._gate.refusal(path)) is not None:
            self._refuse(refusal)
        else:
            self._head_is_here()
            super().on_headers_complete()
            self._is_counted = path in self._gate.single

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                coming = scope["state"].get(Coming.KEY)
                if coming is not None:
                    coming.is_here()

        super()._start_asgi_task(cycle, serve)

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on."""
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Pass the end of the body on; a refused request is over with it."""
        self._awaits_head = True
        if self._over:
            return
        if self._refused:
            self._refused = False
            self._head_is_here()
            self.on_response_complete()
            return
        super().on_message_complete()
        if self._is_counted and not self.cycle.response_complete:
            # Only now, so that no slow sender counts; but before the application's turn comes.
            self._is_counted = False
            self.scope["state"][Coming.KEY] = Coming(self._gate.admission)
        if self.cycle.response_complete and self.timeout_keep_alive_task is None and not self.pipeline:
            # The answer came before the whole body, whose arrival ended the wait for the next request.
            delay = self.timeout_keep_alive
            self.timeout_keep_alive_task = self.loop.call_later(delay, self.timeout_keep_alive_handler)

    def _is_idle(self) -> bool:
        return (self.cycle is None or self.cycle.response_complete) and not self.pipeline

    def _refuse(self, refusal: ReadyRefusal) -> None:
        keep_alive = self.parser.should_keep_alive()
        if not keep_alive:
            self._end(refusal)
            return
        self.cycle = _Answered()  # type: ignore[assignment]
        self._refused = True  # its head's deadline now holds for its body
        self.transport.write(_wire(refusal))

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.head_s, self._head_is_late)

    def _head_is_here(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._head_bytes and self._is_idle():
            limit = self._limits.head_s
            self._end(ready_refusal("", TooSlowError(f"The headers took longer than {limit:g} s.")))
        else:
            self.transport.close()

    def _head_too_large(self) -> ReadyRefusal:
        limit = self._limits.head_bytes
        detail = f"The request line and its headers have more than {limit} bytes, the most allowed."
        return ready_refusal("", HeadersTooLargeError(detail))

    def _end(self, refusal: ReadyRefusal) -> None:
        """Answer, if it is this request's turn, and close the connection."""
        self._over = True
        self._head_is_here()
        self._limits.ending.add(self)
        if not self._is_idle():
            self.transport.abort()
            return
        self.cycle = _Answered()  # type: ignore[assignment]
        self.transport.write(_wire(refusal, b"connection: close\r\n"))
        # Closing on a caller who is still sending would reset the connection and lose the answer.
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)


def _wire(refusal: ReadyRefusal, more: bytes = b"") -> bytes:
    headers = b"".join(b"%b: %b\r\n" % pair for pair in refusal.headers)
    return b"".join([STATUS_LINE[refusal.status], headers, more, b"\r\n", refusal.body])
