"""The gate in front of the routes: nobody gets further without saying who they are."""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.access import Access, is_loopback
from app.access.credentials import credentials_of
from app.errors import RefusedError
from app.ops.problems import refusal_response

__all__ = ["BATCH_PATHS", "KeyGate", "came_on_loopback"]

BATCH_PATHS = frozenset({"/batch", "/batch/commentanalyzer/v1alpha1"})


class KeyGate:
    """Middleware: puts the `Caller` into `scope["state"]["caller"]`, or answers 401 before a body is read.

    Args:
        app: what to protect. Its routes ask for scopes themselves: see `app.access.needs`.
        access: who may call.
        free_paths: paths that anybody may ask, each alone or, with a slash at its end, with all below it.
    """

    def __init__(self, app: ASGIApp, *, access: Access, free_paths: Collection[str]) -> None:
        self._app = app
        self._access = access
        self._free = frozenset(free_paths)
        self._free_below = tuple(path for path in free_paths if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not self._is_free(scope["path"]):
            credentials = credentials_of(scope)
            try:
                # A batch may carry a key in each of its calls, which then are looked at one by one.
                if credentials or scope["path"] not in BATCH_PATHS:
                    caller = await self._access.admit(credentials, on_loopback=came_on_loopback(scope))
                    if caller is not None:
                        scope.setdefault("state", {})["caller"] = caller
            except RefusedError as refusal:
                await refusal_response(refusal, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_free(self, path: str) -> bool:
        return path in self._free or path.startswith(self._free_below)


def came_on_loopback(scope: Scope) -> bool:
    """Tell whether a request came to an address that only this machine reaches, or to a Unix socket."""
    server = scope.get("server")
    return server is not None and (server[1] is None or is_loopback(server[0]))
