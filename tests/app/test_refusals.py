"""What the service says to bad requests: a clear problem document, never a 500, never the comment."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Serve = Callable[..., AbstractContextManager[Any]]

JSON = {"Content-Type": "application/json"}
GOOD = {"comment": {"text": "Well said."}}


def refused(response: httpx.Response, status: int) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:counterpoint:problem:")
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == f"urn:counterpoint:request:{response.headers['x-request-id']}"
    return problem


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"comment": {"text": "\\ud800"}}',
        b'{"comment": {"text": "\\udc00 x"}}',
        b'{"comment": {"text": "\xff\xfe"}}',
        b'{"comment": {"text": "\xed\xa0\x80"}}',
        b'{"comment": {"text": "a\x00b"}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"comment": {"text": "x"}, "explain": NaN}',
        b'{"comment": {"text": "x"}, "explain": -Infinity}',
        b"1" * 10_000,
        b'{"comment": {"text": "x"}} trailing',
        "{}".encode("utf-16"),
    ],
    ids=range(14),
)
def test_what_is_not_json(http: httpx.Client, body: bytes) -> None:
    problem = refused(http.post("/v1/score", content=body, headers=JSON), 400)
    assert "not JSON" in problem["detail"]


@pytest.mark.parametrize("opening", [b"[", b'{"a":1},'])
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_too_many_brackets(http: httpx.Client, path: str, opening: bytes) -> None:
    body = b'{"items":[' + opening * 200_001
    problem = refused(http.post(path, content=body, headers=JSON), 400)
    assert "more than 200000 of [ and {" in problem["detail"]


@pytest.mark.parametrize("field", ["id", "url", "premise", "title"])
def test_nul_in_what_the_database_is_asked(http: httpx.Client, field: str) -> None:
    body = GOOD | {"article": {field: "a\0b"}}
    problem = refused(http.post("/v1/score", json=body), 422)
    assert problem["errors"] == [
        {"field": f"article.{field}", "message": "must not contain the character NUL"}
    ]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ([], "body", "must be an object"),
        ("text", "body", "must be an object"),
        (None, "body", "must be an object"),
        (1e308, "body", "must be an object"),
        ({}, "comment", "is required"),
        ({"comment": "text"}, "comment", "must be an object"),
        ({"comment": {}}, "comment.text", "is required"),
        ({"comment": {"text": None}}, "comment.text", "must be a string"),
        ({"comment": {"text": 5}}, "comment.text", "must be a string"),
        ({"comment": {"text": ["x"]}}, "comment.text", "must be a string"),
        ({"comment": {"text": ""}}, "comment.text", "is empty"),
        ({"comment": {"text": " \t\r\n\u00a0\u2003"}}, "comment.text", "is empty"),
        ({"comment": {"text": "\u200b\u200d\ufeff\u2060"}}, "comment.text", "is empty"),
        ({"comment": {"text": "\u0000\u0001\u001b"}}, "comment.text", "is empty"),
        ({"comment": {"text": "\u3164\ufe0f\u2800"}}, "comment.text", "is empty"),
        ({"comment": {"text": "x", "parent": {"text": ""}}}, "comment.parent.text", "is empty"),
        ({"comment": {"text": "x", "language": "English!"}}, "comment.language", "is not a language tag"),
        ({"comment": {"text": "x", "id": 5}}, "comment.id", "must be a string"),
        ({"comment": {"text": "x"}, "article": []}, "article", "must be an object"),
        (
            {"comment": {"text": "x"}, "article": {"premise": 1}},
            "article.premise",
            "must be a string or a list",
        ),
        (
            {"comment": {"text": "x"}, "article": {"premise": ["y", 1]}},
            "article.premise",
            "must be a string or",
        ),
        ({"comment": {"text": "x"}, "article": {"premise": ["y", " "]}}, "article.premise.1", "is empty"),
        (
            {"comment": {"text": "x"}, "article": {"premise": ["\0y"]}},
            "article.premise.0",
            "must not contain",
        ),
        ({"comment": {"text": "x"}, "article": {"premis": "y"}}, "article.premis", "is not a known field"),
        ({"comment": {"text": "x"}, "explain": "yes"}, "explain", "must be true or false"),
        ({"comment": {"text": "x"}, "explain": 10**300}, "explain", "must be true or false"),
        ({str(n): n for n in range(100)}, "body", "has an object of more than 64 fields"),
    ],
)
def test_wrong_fields_are_named(http: httpx.Client, body: object, field: str, message: str) -> None:
    problem = refused(http.post("/v1/score", content=json.dumps(body), headers=JSON), 422)
    assert problem["errors"][0]["field"] == field
    assert message in problem["errors"][0]["message"]
    assert problem["detail"].startswith(f"{field} {message}")


@pytest.mark.parametrize(
    ("body", "field", "limit"),
    [
        ({"comment": {"text": "x" * 20_481}}, "comment.text", 20_480),
        ({"comment": {"text": "é" * 10_241}}, "comment.text", 20_480),
        ({"comment": {"text": " " * 30_000}}, "comment.text", 20_480),
        ({"comment": {"text": "x", "parent": {"text": "x" * 20_481}}}, "comment.parent.text", 20_480),
        ({"comment": {"text": "x"}, "article": {"premise": "x" * 20_481}}, "article.premise", 20_480),
        ({"comment": {"text": "x"}, "article": {"premise": ["x"] * 9}}, "article.premise", 8),
        (
            {"comment": {"text": "x"}, "article": {"premise": ["x", "x" * 20_481]}},
            "article.premise.1",
            20_480,
        ),
        ({"comment": {"text": "x"}, "article": {"title": "x" * 20_481}}, "article.title", 20_480),
        ({"comment": {"text": "x"}, "article": {"text": "x" * 1_000_001}}, "article.text", 1_000_000),
        ({"comment": {"text": "x", "id": "i" * 257}}, "comment.id", 256),
        ({"comment": {"text": "x"}, "article": {"url": "u" * 2049}}, "article.url", 2048),
    ],
)
def test_limits_are_named(http: httpx.Client, body: object, field: str, limit: int) -> None:
    problem = refused(http.post("/v1/score", json=body), 422)
    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["limit"] == limit
    assert str(limit) in problem["detail"]


def test_the_text_is_never_given_back(http: httpx.Client) -> None:
    secret = "Rosebud was his sledge"
    for body in (
        {"comment": {"text": secret, "nonsense": secret}},
        {"comment": {"text": [secret]}},
        {"comment": {"text": secret, "language": secret}},
        {secret: secret},
        {"comment": {"text": secret * 2_000}},
    ):
        assert "Rosebud" not in http.post("/v1/score", json=body).text
    broken = http.post("/v1/score", content=f'{{"comment": {{"text": "{secret}"'.encode(), headers=JSON)
    assert broken.status_code == 400
    assert "Rosebud" not in broken.text


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "x",
        "application/json; a*" + "9" * 5_000 + "=x",
    ],
)
def test_other_media_types(http: httpx.Client, content_type: str) -> None:
    for path in ("/v1/score", "/v1/score/batch", "/v1/score/stream"):
        response = http.post(path, content=json.dumps(GOOD), headers={"Content-Type": content_type})
        problem = refused(response, 415)
        assert "Content-Type: application/" in problem["detail"]


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=UTF-8"])
def test_json_with_a_byte_order_mark(http: httpx.Client, content_type: str) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(GOOD).encode()
    response = http.post("/v1/score", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 200


def test_of_a_repeated_key_the_last_counts(http: httpx.Client) -> None:
    body = b'{"comment": {"text": 5, "text": "Well said.", "id": "first", "id": "last"}}'
    assert http.post("/v1/score", content=body, headers=JSON).json()["id"] == "last"


def test_unknown_routes_and_methods(http: httpx.Client) -> None:
    refused(http.get("/v1/nowhere"), 404)
    refused(http.get("/"), 404)
    problem = refused(http.get("/v1/score"), 405)
    assert problem["type"] == "urn:counterpoint:problem:method-not-allowed"
    assert http.get("/v1/score").headers["allow"] == "POST"


def test_the_callers_request_id_is_kept_if_it_is_one(http: httpx.Client) -> None:
    assert http.get("/livez", headers={"X-Request-ID": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    for odd in ("a b", "x" * 129, "<script>", ""):
        given = http.get("/livez", headers={"X-Request-ID": odd}).headers["x-request-id"]
        assert len(given) == 32


def test_bodies_over_the_limit(serve: Serve) -> None:
    with (
        serve(max_body_bytes=100_000) as running,
        httpx.Client(base_url=running.url, trust_env=False) as http,
    ):
        body = json.dumps({"comment": {"text": "x"}, "article": {"text": "y" * 100_000}}).encode()
        problem = refused(http.post("/v1/score", content=body, headers=JSON), 413)
        assert "100000" in problem["detail"]
        chunked = (body[i : i + 1_000] for i in range(0, len(body), 1_000))
        assert "100000" in refused(http.post("/v1/score", content=chunked, headers=JSON), 413)["detail"]
        fits = json.dumps(GOOD).encode().ljust(100_000)
        assert http.post("/v1/score", content=fits, headers=JSON).status_code == 200
        refused(http.post("/v1/score", content=fits + b" ", headers=JSON), 413)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["comment", "text", "article", "id", "items", "parent"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
_bodies = st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_no_body_breaks_the_service(http: httpx.Client, path: str) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(body=_bodies)
    def check(body: bytes) -> None:
        response = http.post(path, content=body, headers=JSON)
        assert response.status_code < 500
        if response.status_code != 200:
            refused(response, response.status_code)
        elif path == "/v1/score/batch":
            assert len(response.json()["results"]) == len(json.loads(body)["items"])

    check()
