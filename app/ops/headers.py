"""What every answer tells browsers and caches, and which pages may call from a browser."""

from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.credentials import KEY_HEADER

__all__ = ["CORS", "SecurityHeaders"]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Nothing here is a page: whatever a browser makes of an answer, it shall load and run nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

CORS: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "DELETE"],
    "allow_headers": [KEY_HEADER, "Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"],
    "expose_headers": [
        "X-Request-ID",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
        "Idempotency-Replayed",
    ],
    "max_age": 600,
}
"""What pages of the allowed origins may do; `CORSMiddleware`'s arguments. Cookies play no part here."""


class SecurityHeaders:
    """Middleware: adds the headers that an answer does not have yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
