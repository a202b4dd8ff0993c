"""Bodies come as they are: none is unpacked here, and so none can unpack into more than memory holds."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UnsupportedTypeError
from app.ops.problems import problem_of, problem_response

__all__ = ["PlainBodies"]


class PlainBodies:
    """Middleware: answers 415 to a request whose body is compressed, before anything of it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        codings = Headers(scope=scope).getlist("content-encoding") if scope["type"] == "http" else []
        if all(coding.strip().lower() in {"", "identity"} for coding in codings):
            await self._app(scope, receive, send)
            return
        refusal = UnsupportedTypeError("Bodies with a Content-Encoding are not read; send it as it is.")
        # RFC 9110, section 12.5.3: so the client learns that its encoding is the fault.
        response = problem_response(problem_of(refusal), scope, {"Accept-Encoding": "identity"})
        await response(scope, receive, send)
