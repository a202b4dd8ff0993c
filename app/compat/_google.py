"""What every Google API has in common: the error envelope, and how an answer is laid out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from app.compat._field_mask import Mask, read_mask, select
from app.compat._reply import Reply
from app.errors import AppError
from app.ops.problems import refusal_of

__all__ = [
    "GoogleError",
    "Layout",
    "error_for_status",
    "error_of",
    "error_reply",
    "key_not_valid",
    "read_layout",
]

_SERVICE = "commentanalyzer.googleapis.com"
_TYPES = "type.googleapis.com/"
_JSON = "application/json; charset=UTF-8"
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_OFF = {"false", "0", "no"}


class GoogleError(AppError):
    """A refusal in Google's words.

    Args:
        message: for the caller; clients compare it letter by letter.
        detail: the one entry of `details`, its `@type` without the host. Never empty: clients read it
            without looking.
        code: HTTP status.
        retry_after_s: when to try again, in seconds.
    """

    def __init__(
        self,
        message: str,
        detail: Mapping[str, object],
        *,
        code: int = 400,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = {**detail, "@type": _TYPES + str(detail["@type"])}
        self.code = code
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Layout:
    """How the caller wants the JSON: indented by two spaces or compact, whole or in parts."""

    pretty: bool = True
    mask: Mask | None = None

    def reply(self, value: object, headers: Mapping[str, str] | None = None, *, code: int = 200) -> Reply:
        """Return the answer that carries `value`."""
        content = to_json(value, indent=2) + b"\n" if self.pretty else to_json(value)
        return Reply(code, content, {"Content-Type": _JSON, **(headers or {})})

    def parts_of(self, value: object) -> object:
        """Return what `fields` selects of `value`; everything where the caller does not say."""
        return value if self.mask is None else select(value, self.mask)


def read_layout(query: Mapping[str, str]) -> Layout:
    """Read the parameters that all Google APIs share; those without a meaning here are ignored.

    Raises:
        GoogleError: `alt` asks for another format than JSON, or `fields` cannot be read.
    """
    for name in ("alt", "$alt"):
        if query.get(name, "json") != "json":
            raise _invalid_parameter(name, "Only alt=json is supported.")
    pretty = all(query.get(name, "").lower() not in _OFF for name in ("prettyPrint", "$prettyPrint"))
    chosen = query.get("fields") or query.get("$fields") or ""
    try:
        return Layout(pretty, read_mask(chosen) if chosen else None)
    except ValueError:
        raise _invalid_parameter("fields", "Error expanding 'fields' parameter.") from None


def error_reply(error: GoogleError, layout: Layout | None = None) -> Reply:
    """Return the answer that carries a refusal."""
    envelope: dict[str, Any] = {
        "error": {
            "code": error.code,
            "message": error.message,
            "status": _STATUSES.get(error.code, "UNKNOWN"),
            "details": [error.detail],
        }
    }
    wait = error.retry_after_s
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return (layout or Layout()).reply(envelope, headers, code=error.code)


def error_for_status(status: int, message: str, retry_after_s: int | None = None) -> GoogleError:
    """Return the refusal that says what a problem document of `status` says."""
    if status in {413, 415, 422}:  # Google has one status for all that is wrong with a request
        status = 400
    code = _STATUSES.get(status, "UNKNOWN")
    detail = {"@type": "google.rpc.ErrorInfo", "reason": code, "domain": _SERVICE}
    return GoogleError(message, detail, code=status, retry_after_s=retry_after_s)


def key_not_valid(message: str) -> GoogleError:
    """Return the refusal of a caller without a usable key, with the reason that Google's APIs give."""
    detail = {"@type": "google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": _SERVICE}
    return GoogleError(message, detail, code=401)


def error_of(error: Exception) -> GoogleError | None:
    """Return what to tell the caller about an error, or None where it is the service's own fault."""
    if isinstance(error, GoogleError):
        return error
    refusal = refusal_of(error)
    if refusal is None:
        return None
    if refusal.status == 401:
        return key_not_valid(refusal.detail)
    return error_for_status(refusal.status, refusal.detail, refusal.retry_after_s)


def _invalid_parameter(name: str, message: str) -> GoogleError:
    violation = {"field": name, "description": message}
    return GoogleError(message, {"@type": "google.rpc.BadRequest", "fieldViolations": [violation]})
