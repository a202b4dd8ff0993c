"""Where a key stands in a request."""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Scope

__all__ = ["KEY_HEADER", "credentials_of"]

KEY_HEADER = "X-API-Key"
_GOOGLE_HEADER = "X-Goog-Api-Key"
_BEARER = "bearer "
_WITH_QUERY = ("/v1alpha1/", "/batch")


def credentials_of(scope: Scope) -> list[str]:
    """Return what came as a key.

    `X-API-Key` and `Authorization: Bearer` count everywhere; the Perspective API's `?key=` only on its own
    paths, since addresses end in the logs of whatever stands between.
    """
    return [text for text in _found(scope) if text]


def _found(scope: Scope) -> Iterator[str]:
    headers = Headers(scope=scope)
    yield from headers.getlist(KEY_HEADER)
    for value in headers.getlist("authorization"):
        if value[: len(_BEARER)].lower() == _BEARER:
            yield value[len(_BEARER) :].strip()
    if scope["path"].startswith(_WITH_QUERY):
        yield from headers.getlist(_GOOGLE_HEADER)
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        yield from (value for name, value in query if name == "key")
