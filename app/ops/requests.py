"""Measures every request: how long it took, by route and status."""

import time
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.ops.instruments import Instruments

__all__ = ["RequestMeter"]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "other"


class RequestMeter:
    """Middleware, the outermost one.

    Args:
        app: what answers.
        instruments: where requests are noted.
        routes: templates of the routes; a request that is refused before it was routed is counted by that
            which is its very path.
    """

    def __init__(self, app: ASGIApp, *, instruments: Instruments, routes: Collection[str]) -> None:
        self._app = app
        self._instruments = instruments
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._instruments.in_progress.inc()
        try:
            await self._app(scope, receive, send_and_see)
        finally:
            self._instruments.in_progress.dec()
            method = scope["method"] if scope["method"] in _METHODS else _OTHER
            self._instruments.answered(method, self._route(scope), status, time.perf_counter() - began)

    def _route(self, scope: Scope) -> str:
        route: str | None = getattr(scope.get("route"), "path_format", None)
        path: str = scope["path"]
        return route or (path if path in self._routes else _OTHER)
