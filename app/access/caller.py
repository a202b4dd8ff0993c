"""The caller of a request, as the gate found it."""

from dataclasses import dataclass

from fastapi import Request

__all__ = ["Caller", "caller_of"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key came with a request; absent from `scope["state"]["caller"]` where the service is open.

    `requests_a_minute` is the key's own rate, at least 1; `None` leaves it to the settings.
    """

    id: str
    scopes: frozenset[str]
    requests_a_minute: int | None


def caller_of(request: Request) -> Caller | None:
    """Return whose key came with a request, or None where none was needed."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller
