"""A caller's rate holds, whatever it asks for, and it is told what is left."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.caller import Caller
from app.limits.rates import wait_for_one
from app.main import create_app
from app.settings import Settings

pytestmark = pytest.mark.usefixtures("not_late_in_a_minute")
Serve = Callable[..., AbstractContextManager[Any]]
COMMENT = {"comment": {"text": "Well said."}}


def client(url: str, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=60, trust_env=False, headers=headers)


def test_the_rate_of_an_address_holds_and_is_told(serve: Serve) -> None:
    with serve(requests_a_minute=3) as running, client(running.url) as http:
        for left in (2, 1, 0):
            answer = http.post("/v1/score", json=COMMENT)
            assert answer.status_code == 200
            assert answer.headers["ratelimit-policy"] == '"default";q=3;w=60'
            assert re.fullmatch(rf'"default";r={left};t=\d+', answer.headers["ratelimit"])
        refused = http.post("/v1/score", json=COMMENT)
        assert (refused.status_code, refused.json()["type"]) == (
            429,
            "urn:counterpoint:problem:too-many-requests",
        )
        assert refused.headers["content-type"] == "application/problem+json"
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        assert refused.headers["ratelimit"].startswith('"default";r=0;t=')
        assert http.get("/v1/models").status_code == 429
        for path in ("/livez", "/readyz", "/metrics"):
            assert http.get(path).status_code == 200


def test_without_a_rate_nothing_is_told(serve: Serve) -> None:
    with serve() as running, client(running.url) as http:
        assert "ratelimit" not in http.post("/v1/score", json=COMMENT).headers


def test_other_protocols_refuse_in_their_own_words(serve: Serve) -> None:
    with serve(requests_a_minute=1) as running, client(running.url) as http:
        assert http.get("/v1/models").status_code == 200
        google = http.post("/v1alpha1/comments:analyze", json={})
        assert (google.status_code, google.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
        openai = http.post("/v1/moderations", json={"input": "Well said."})
        assert (openai.status_code, openai.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        for answer in (google, openai):
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["ratelimit-policy"] == '"default";q=1;w=60'


def test_a_batch_counts_its_items_and_those_beyond_are_refused_one_by_one(serve: Serve) -> None:
    with serve(requests_a_minute=4) as running, client(running.url) as http:
        answer = http.post("/v1/score/batch", json={"items": [COMMENT] * 6})
        assert answer.status_code == 200
        assert answer.headers["ratelimit"].startswith('"default";r=0;')
        assert [item.get("status", 200) for item in answer.json()["results"]] == [200] * 4 + [429] * 2


def test_the_lines_of_a_stream_count(serve: Serve) -> None:
    with serve(requests_a_minute=6) as running, client(running.url) as http:
        lines = (json.dumps(COMMENT) + "\n") * 4
        answer = http.post("/v1/score/stream", content=lines)
        assert len(answer.text.splitlines()) == 4
        assert http.post("/v1/score", json=COMMENT).headers["ratelimit"].startswith('"default";r=1;')


def test_the_inputs_of_a_moderation_count_together(serve: Serve) -> None:
    with serve(requests_a_minute=3) as running, client(running.url) as http:
        assert http.post("/v1/moderations", json={"input": ["Well said."] * 4}).status_code == 429
    with serve(requests_a_minute=3) as running, client(running.url) as http:
        assert http.post("/v1/moderations", json={"input": ["Well said."] * 3}).status_code == 200
        assert http.post("/v1/moderations", json={"input": ["Well said."]}).status_code == 429


def test_addresses_behind_a_proxy_are_told_apart(serve: Serve) -> None:
    with serve(requests_a_minute=1, trusted_proxies=1) as running, client(running.url) as http:

        def asked(*forwarded: str) -> int:
            headers = [("X-Forwarded-For", value) for value in forwarded]
            return http.post("/v1/score", json=COMMENT, headers=headers).status_code

        assert asked("203.0.113.1") == 200
        assert asked("203.0.113.2") == 200
        assert asked("203.0.113.1:4711") == 429
        assert asked("198.51.100.9, 203.0.113.2") == 429, "what a caller writes itself is not believed"
        assert asked("198.51.100.9", "203.0.113.2") == 429
        assert asked("2001:db8:1:2:3::4") == 200
        assert asked("2001:db8:1:2:5::6") == 429, "a network of 64 bits is one caller"


def test_without_a_proxy_the_header_is_not_believed(serve: Serve) -> None:
    with serve(requests_a_minute=1) as running, client(running.url) as http:
        statuses = [
            http.post("/v1/score", json=COMMENT, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
            for n in range(2)
        ]
        assert statuses == [200, 429]


class _CallerFromHeader:
    """Stands in front as the gate for keys does: says who calls."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, _, rate = dict(scope.get("headers", ())).get(b"x-test-caller", b"").decode().partition("/")
        if name:
            caller = Caller(
                id=name, scopes=frozenset({"score"}), requests_a_minute=int(rate) if rate else None
            )
            scope["state"]["caller"] = caller
        await self._app(scope, receive, send)


def test_a_key_has_its_own_rate(
    make_settings: Callable[..., Settings], run_app: Callable[[FastAPI], AbstractContextManager[str]]
) -> None:
    app = create_app(make_settings(requests_a_minute=2))
    app.add_middleware(_CallerFromHeader)
    with run_app(app) as url, client(url) as http:

        def statuses(caller: str, times: int) -> list[int]:
            headers = {"X-Test-Caller": caller}
            return [http.post("/v1/score", json=COMMENT, headers=headers).status_code for _ in range(times)]

        assert statuses("one/1", 2) == [200, 429]
        assert statuses("two/3", 4) == [200, 200, 200, 429]
        assert statuses("three", 3) == [200, 200, 429]


@given(
    limit=st.integers(1, 10_000),
    before=st.integers(0, 10_000),
    before_s=st.floats(0.01, 60),
    now=st.integers(0, 10_000),
)
def test_after_the_wait_there_is_room_and_not_long_before(
    limit: int, before: int, before_s: float, now: int
) -> None:
    before, now = min(before, limit), min(now, limit)
    now_s = 60 + before_s
    wait = wait_for_one(limit, before, before_s, now, now_s)

    def used(after_s: float) -> float:
        if after_s < before_s:
            return before * (before_s - after_s) / 60 + now
        return now * (now_s - after_s) / 60

    assert wait >= 0
    assert used(wait + 1e-6) < limit + 1e-3
    if used(0) > limit and wait > 1e-3:
        assert used(wait - 1e-3) > limit - 1
