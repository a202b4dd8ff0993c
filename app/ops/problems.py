"""Every refusal as an RFC 9457 problem document (application/problem+json)."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from app.errors import RefusedError, ScorerClosedError, StoreError, UnauthorizedError, UnavailableError
from app.schemas import FieldProblem, Problem

__all__ = [
    "INTERNAL_PROBLEM",
    "PROBLEM_TYPE",
    "add_problem_handlers",
    "problem_of",
    "problem_response",
    "refusal_of",
    "refusal_response",
]

PROBLEM_TYPE = "application/problem+json"
_TYPES = "urn:counterpoint:problem:"
INTERNAL_PROBLEM = Problem(
    type=f"{_TYPES}internal",
    title="Internal error",
    status=500,
    detail="Something went wrong here; the log tells more under this request's id.",
)


def problem_of(refusal: RefusedError, *, id: str | None = None, line: int | None = None) -> Problem:
    """Return the document for a refusal, of an item with that `id` or `line` where there is one."""
    extras = {"errors": refusal.errors, "id": id, "line": line}
    return Problem.model_validate(
        {
            "type": _TYPES + refusal.code,
            "title": refusal.title,
            "status": refusal.status,
            "detail": refusal.detail,
        }
        | {name: value for name, value in extras.items() if value}
    )


def problem_response(problem: Problem, scope: Scope, headers: dict[str, str] | None = None) -> Response:
    """Return the answer that carries a problem, `instance` being the request's id."""
    request_id = scope.get("state", {}).get("request_id")
    if request_id:
        problem = problem.model_copy(update={"instance": f"urn:counterpoint:request:{request_id}"})
    body = problem.model_dump_json(exclude_unset=True)
    return Response(body, status_code=problem.status, headers=headers, media_type=PROBLEM_TYPE)


def refusal_response(refusal: RefusedError, scope: Scope) -> Response:
    """Return the answer that carries a refusal, with when to try again, or how to say who calls."""
    headers = {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if isinstance(refusal, UnauthorizedError):
        headers["WWW-Authenticate"] = 'Bearer realm="counterpoint"'  # RFC 9110, section 11.6.1
    return problem_response(problem_of(refusal), scope, headers)


def refusal_of(error: BaseException) -> RefusedError | None:
    """Return what to tell the caller about an error, or None where it is the service's own fault."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, StoreError):
        return UnavailableError("The database does not answer; try again later.")
    if isinstance(error, ScorerClosedError):
        return UnavailableError("The service is closing; try another one.")
    return None


def add_problem_handlers(app: FastAPI) -> None:
    """Make the app answer its errors, unknown routes and methods included, with problem documents."""
    for error in (RefusedError, StoreError, ScorerClosedError):
        app.add_exception_handler(error, _answer_refusal)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_bad_parameters)


async def _answer_refusal(request: Request, error: Exception) -> Response:
    refusal = refusal_of(error)
    if refusal is None:
        return problem_response(INTERNAL_PROBLEM, request.scope)
    return refusal_response(refusal, request.scope)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    details = {
        404: "There is no such route; /openapi.json lists them.",
        405: "This route does not know this method; the Allow header names those it knows.",
    }
    problem = Problem(
        type=_TYPES + status.phrase.lower().replace(" ", "-"),
        title=status.phrase,
        status=status.value,
        detail=details.get(status.value, f"{status.description or status.phrase}."),
    )
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_at(request))
    return problem_response(problem, request.scope, headers)


def _methods_at(request: Request) -> list[str]:
    # Each method is a route of its own, and the first that does not know the method would name itself alone.
    routes = [route for route in iter_route_contexts(request.app.routes) if route.methods]
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    same = [route for route in found if route.path == found[0].path]
    return sorted({method for route in same for method in route.methods or ()})


async def _answer_bad_parameters(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    fields = [".".join(map(str, detail["loc"])) for detail in error.errors()]
    problem = Problem(
        type=f"{_TYPES}invalid-request",
        title="Invalid request",
        status=422,
        detail="A parameter is not valid.",
        errors=[FieldProblem(field=field, message="is not valid") for field in fields],
    )
    return problem_response(problem, request.scope)
