"""What schemathesis cannot know of the service: NDJSON, and what each of its refusals holds."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def as_a_line(_: Any, value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


@schemathesis.check
def refusals_are_problems(_: Any, response: Any, __: Any) -> None:
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["instance"] == f"urn:counterpoint:request:{response.headers['x-request-id'][0]}"
    if problem["type"].endswith(":invalid-request"):
        assert problem["errors"], "the fields at fault are not named"
