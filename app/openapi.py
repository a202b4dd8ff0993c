"""The OpenAPI document. The routes read their bodies themselves, so their schemas are added here."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from app.access.credentials import KEY_HEADER
from app.access.needs import Needs
from app.ops.problems import PROBLEM_TYPE
from app.schemas import (
    ArticleRegistration,
    BatchRequest,
    FeedbackBatch,
    FeedbackRequest,
    Problem,
    ScoreRequest,
)

__all__ = ["JSON", "NDJSON", "body_of", "describe_access", "describe_bodies", "problems"]

JSON = "application/json"
NDJSON = "application/x-ndjson"

_REF = "#/components/schemas/{model}"
_BODIES = (ScoreRequest, BatchRequest, ArticleRegistration, FeedbackRequest, FeedbackBatch)
_MEANINGS = {
    400: "The body is not JSON.",
    401: "No usable API key came.",
    403: "The key lacks the scope that is named, or the settings do not allow it.",
    404: "There is no such thing.",
    409: "What is there does not allow it.",
    408: "The body comes too slowly.",
    413: "The body is over its limit, which is named.",
    415: "Another media type than the one read here.",
    422: "A field is missing, unknown, empty, of the wrong type or over its limit; `errors` names it.",
    429: "The caller is over its rate; Retry-After says when there is room again.",
    503: "The database does not answer, or too many comments wait; Retry-After says when to try again.",
}

_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    "bearer": {"type": "http", "scheme": "bearer", "description": f"The same key as in {KEY_HEADER}."},
}


def body_of(model: type, media_type: str = JSON, *, or_else: type | None = None) -> dict[str, Any]:
    """Return what tells OpenAPI that a route reads `model`, or else another one."""
    schemas = [{"$ref": _REF.format(model=one.__name__)} for one in (model, or_else) if one is not None]
    schema = schemas[0] if or_else is None else {"anyOf": schemas}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what tells OpenAPI which problem documents a route answers."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


def describe_bodies(app: FastAPI) -> None:
    """Add the schemas of request bodies and problems to the app's document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            read = [(model, "validation") for model in _BODIES]
            _, definitions = models_json_schema([*read, (Problem, "serialization")], ref_template=_REF)  # type: ignore[list-item]
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(definitions["$defs"])
            _forget_validation_errors(document)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]


def describe_access(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Add which key each operation takes to the app's document, and how it is refused without."""
    scopes = {
        (method.lower(), route.path_format): need.dependency.scope
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for need in route.dependencies
        if isinstance(need.dependency, Needs)
        for method in route.methods or ()
    }
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        components = document.setdefault("components", {})
        if "securitySchemes" not in components:
            components["securitySchemes"] = _SCHEMES
            for (method, path), scope in scopes.items():
                operation = document["paths"].get(path, {}).get(method)
                if operation is not None:
                    operation["security"] = [{}, *({name: [scope]} for name in _SCHEMES)]
                    refused = {str(status): told for status, told in problems(401, 403, 503).items()}
                    operation["responses"] = refused | operation["responses"]
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _forget_validation_errors(document: dict[str, Any]) -> None:
    """Remove what FastAPI adds to each route with a parameter, and what no route answers."""
    for operations in document["paths"].values():
        for operation in operations.values():
            told = str(operation["responses"].get("422"))
            if "HTTPValidationError" in told:
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
