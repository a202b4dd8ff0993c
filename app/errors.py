"""What can go wrong while serving and asking.

::

    AppError
    ├── SettingsError              a COUNTERPOINT_ variable
    ├── ActiveFileError            the file that says which version is active
    ├── ObservationsError          the folder of counts
    ├── ScorerClosedError          work handed in after closing began
    ├── StoreError                 the database
    │   └── StoreDownError         it cannot be reached, or takes too long
    ├── StoredRowError             a file of stored rows
    ├── AddressError               a name leads to where this service must not fetch
    ├── RefusedError               a request, refused with a problem document
    │   ├── MalformedBodyError     400  not JSON
    │   ├── UnauthorizedError      401  no key, or one that is of no use
    │   ├── ForbiddenError         403
    │   │   └── MissingScopeError  403  the key's scopes
    │   ├── NotFoundError          404
    │   ├── ConflictError          409
    │   ├── TooSlowError           408  the headers or the body came too slowly
    │   ├── TooLargeError          413
    │   ├── UnsupportedTypeError   415
    │   ├── InvalidRequestError    422  JSON, but not what was asked for
    │   ├── ReusedKeyError         422  an Idempotency-Key of another request
    │   ├── TooManyRequestsError   429  more than the caller's rate
    │   ├── HeadersTooLargeError   431
    │   ├── UnavailableError       503
    │   ├── BusyError              503  too many comments wait
    │   └── TookTooLongError       503  the deadline has passed
    └── ClientError                seen from the caller's side
        ├── ServiceUnavailable     no answer, after every retry
        └── RequestRefused         the service's problem document
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from counterpoint import CounterpointError

if TYPE_CHECKING:
    from app.schemas import FieldProblem, Problem

__all__ = [
    "ActiveFileError",
    "AddressError",
    "AppError",
    "BusyError",
    "ClientError",
    "ConflictError",
    "ForbiddenError",
    "HeadersTooLargeError",
    "InvalidRequestError",
    "MalformedBodyError",
    "MissingScopeError",
    "NotFoundError",
    "ObservationsError",
    "RefusedError",
    "RequestRefused",
    "ReusedKeyError",
    "ScorerClosedError",
    "ServiceUnavailable",
    "SettingsError",
    "StoreDownError",
    "StoreError",
    "StoredRowError",
    "TooLargeError",
    "TooManyRequestsError",
    "TooSlowError",
    "TookTooLongError",
    "UnauthorizedError",
    "UnavailableError",
    "UnsupportedTypeError",
]


class AppError(CounterpointError):
    """Base of everything that goes wrong in this room."""


class SettingsError(AppError):
    """A COUNTERPOINT_ variable does not hold what it should."""


class ActiveFileError(AppError):
    """The file that says which version is active cannot be read or written."""


class ObservationsError(AppError):
    """There are no observations where they are looked for."""


class ScorerClosedError(AppError):
    """The service is closing and takes no more work."""


class StoreError(AppError):
    """The database does not do what it is asked."""


class StoreDownError(StoreError):
    """The database cannot be reached, or takes too long: asking it again at once is of no use."""


class StoredRowError(AppError):
    """A file to import does not hold what it should, or cannot be read or written."""


class AddressError(AppError):
    """A name leads to an address from which nothing may be fetched."""


class RefusedError(AppError):
    """A request that gets a problem document.

    Args:
        detail: one sentence for the caller. It never quotes comment text.
        errors: the fields at fault, where there are any.
    """

    status = 400
    code = "bad-request"
    title = "Bad request"
    retry_after_s: int | None = None

    def __init__(self, detail: str, errors: "Sequence[FieldProblem]" = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)


class MalformedBodyError(RefusedError):
    """The body is not JSON in UTF-8."""

    code = "malformed-json"
    title = "The body is not JSON"


class UnauthorizedError(RefusedError):
    """No key came, or one that is unknown, wrong, expired or revoked: which of these is not told."""

    status = 401
    code = "unauthorized"
    title = "A key is needed"


class ForbiddenError(RefusedError):
    """The settings do not allow it."""

    status = 403
    code = "forbidden"
    title = "Not allowed here"


class MissingScopeError(ForbiddenError):
    """The key is a good one, but not for this."""

    code = "missing-scope"
    title = "The key does not reach so far"


class NotFoundError(RefusedError):
    """There is no such thing."""

    status = 404
    code = "not-found"
    title = "Not found"


class ConflictError(RefusedError):
    """What is there does not allow it."""

    status = 409
    code = "conflict"
    title = "Conflict"


class TooSlowError(RefusedError):
    """The headers or the body did not come in time."""

    status = 408
    code = "too-slow"
    title = "Too slow"


class TooLargeError(RefusedError):
    """A body or a line is over its limit."""

    status = 413
    code = "too-large"
    title = "Too large"


class UnsupportedTypeError(RefusedError):
    """The Content-Type is not one that the route reads."""

    status = 415
    code = "unsupported-media-type"
    title = "Unsupported media type"


class InvalidRequestError(RefusedError):
    """A field is missing, empty, of the wrong type or over its limit."""

    status = 422
    code = "invalid-request"
    title = "Invalid request"


class ReusedKeyError(RefusedError):
    """An Idempotency-Key that another request had."""

    status = 422
    code = "idempotency-key-reused"
    title = "Idempotency-Key used before"


class TooManyRequestsError(RefusedError):
    """The caller has used up its rate.

    Args:
        detail: one sentence for the caller.
        retry_after_s: when there is room again, in seconds.
    """

    status = 429
    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class HeadersTooLargeError(RefusedError):
    """The request line and its headers are over their limit."""

    status = 431
    code = "headers-too-large"
    title = "Headers too large"


class UnavailableError(RefusedError):
    """Something the request needs does not answer now; a later try may do."""

    status = 503
    code = "unavailable"
    title = "Unavailable for now"
    retry_after_s = 5


class BusyError(RefusedError):
    """More comments wait than the settings allow."""

    status = 503
    code = "busy"
    title = "Too many comments wait"
    retry_after_s = 1


class TookTooLongError(RefusedError):
    """The comment could not be scored before its deadline."""

    status = 503
    code = "took-too-long"
    title = "Not scored in time"
    retry_after_s = 1


class ClientError(AppError):
    """Base of what the client raises."""


class ServiceUnavailable(ClientError):  # noqa: N818 - reads as what happened
    """No usable answer came, after every retry."""


class RequestRefused(ClientError):  # noqa: N818 - reads as what happened
    """The service refused the request; `problem` says why."""

    def __init__(self, problem: "Problem") -> None:
        fields = "; ".join(f"{error.field}: {error.message}" for error in problem.errors)
        super().__init__(f"{problem.detail} ({fields})" if fields else problem.detail)
        self.problem = problem
