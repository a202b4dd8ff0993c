"""Which scope a route needs, said where the route is."""

from typing import Any

from fastapi import Depends, Request

from app.access.access import require_scope
from app.access.caller import caller_of
from app.access.keys import KeyScope

__all__ = ["Needs", "needs"]


class Needs:
    """A dependency that refuses a caller whose key lacks `scope`."""

    def __init__(self, scope: KeyScope) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> None:
        """Look at the caller that the gate found."""
        require_scope(caller_of(request), self.scope)


def needs(scope: KeyScope) -> Any:
    """Return the dependency of a route, or of all routes of a router, that need `scope`."""
    return Depends(Needs(scope))
