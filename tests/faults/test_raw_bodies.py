"""Bodies that no client means to send, to each route that reads one: refused in its protocol's own way."""

import hashlib
import hmac
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

SECRET = "a secret of the tests"
PROBLEM = "application/problem+json"
BATCH = "multipart/mixed; boundary=edge"
COMMENT: dict[str, Any] = {"text": "You are a stupid idiot.", "id": "c1", "parent": {"text": "Well said."}}
ASKED = {"comment": COMMENT, "article": {"id": "a1", "premise": ["Ban cars"]}, "explain": True}
ANALYZED = {"comment": {"text": "Well said."}, "requestedAttributes": {"TOXICITY": {"scoreThreshold": 0}}}
SUGGESTED = {
    "comment": {"text": "Well said."},
    "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0.5}}},
    "clientToken": "t",
}
PART = (
    b"--edge\r\nContent-Type: application/http\r\n\r\n"
    b"POST /v1alpha1/comments:analyze HTTP/1.1\r\n\r\n%b\r\n--edge--"
)
NOW = datetime.now(UTC).isoformat()
EVENT = {"type": "COMMENT_CREATED", "createdAt": NOW, "data": {"storyID": "s", "storyURL": "u"}}
POST_CREATED = {
    "post": {"id": 1, "topic_id": 2, "post_number": 2, "created_at": NOW, "cooked": "<p>Well said.</p>"}
}


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


MEANT: dict[str, bytes] = {
    "/v1/score": dumped(ASKED),
    "/v1/score/batch": dumped({"items": [ASKED, ASKED]}),
    "/v1/score/stream": dumped(ASKED) + b"\n" + dumped(ASKED),
    "/v1/articles/a1": dumped({"premise": "Ban cars", "url": "https://news.example/a1", "title": "Cars"}),
    "/v1/feedback": dumped({"comment": {"text": "Well said."}, "labels": {"INSULT": 0.5}}),
    "/v1alpha1/comments:analyze": dumped(ANALYZED),
    "/v1alpha1/comments:suggestscore": dumped(SUGGESTED),
    "/batch": PART % dumped(ANALYZED),
    "/v1/moderations": dumped({"input": ["Well said.", "You idiot."], "model": "x"}),
    "/integrations/coral/phase": dumped({"comment": {"body": "<div>Well said.</div>"}}),
    "/integrations/coral/webhook": dumped(EVENT),
    "/integrations/discourse": dumped(POST_CREATED),
}
OTHER_TYPES = ["application/x-ndjson", "text/plain", BATCH, "multipart/mixed", "", "/;="]
CHARSETS = ["; charset=utf-8", "; charset=utf-16", "; charset*=x''y", "; charset=" + "9" * 300]

# Each stands where a value of the body stood.
ODD_VALUES = st.sampled_from(
    [
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-0.0",
        b"1" * 400,
        b"1e-400",
        b"null",
        b"true",
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\\u0000"',
        b'"\xf4\x90\x80\x80"',
        b'"\xe2\x80\xae\xcc\x81\xef\xbf\xbe"',
        b"[" * 150 + b"]" * 150,
        b"[" * 300,
        b'{"a":' * 150 + b"1" + b"}" * 150,
        b'{"text": 1, "text": "x"}',
        b'{"": {}, "__proto__": []}',
        b'"' + b"x" * 21_000 + b'"',
        b'"' + "\u0301".encode() * 2_000 + b'"',
    ]
) | st.text(max_size=20).map(dumped)


A_VALUE = re.compile(rb'"[^"]*"(?!:)|[0-9.]+|true|\[|\{')


@st.composite
def raw_bodies(draw: st.DrawFn, meant: bytes) -> bytes:
    """What was meant, but cut, with bytes changed, a value replaced, or a key repeated."""
    how = draw(st.sampled_from(["binary", "cut", "bytes", "value", "repeated", "long"]))
    place = draw(st.integers(0, len(meant)))
    if how == "binary":
        return draw(st.binary(max_size=300))
    if how == "cut":
        return meant[:place]
    if how == "bytes":
        return meant[:place] + draw(st.binary(max_size=4)) + meant[place + draw(st.integers(0, 3)) :]
    if how == "value":
        value = draw(st.sampled_from(list(A_VALUE.finditer(meant))))
        return meant[: value.start()] + draw(ODD_VALUES) + meant[value.end() :]
    if how == "repeated":
        return meant.replace(b"{", b'{"comment": ' + draw(ODD_VALUES) + b", ", draw(st.integers(1, 3)))
    return meant.replace(b"Well said.", draw(st.text(max_size=5)).encode() * draw(st.integers(1, 3_000)))


@pytest.fixture(scope="module")
def http(serve: Any) -> Iterator[httpx.Client]:
    secrets = {"coral_secrets": [SECRET], "discourse_secrets": [SECRET]}
    with (
        serve(**secrets, database_timeout_s=30, coral_deadline_ms=10_000, log_level="ERROR") as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize("path", MEANT)
def test_no_body_breaks_the_service(http: httpx.Client, fuzz_cases: int, fuzzing: bool, path: str) -> None:
    seen: Counter[int] = Counter()
    meant, its_type = MEANT[path], BATCH if path == "/batch" else "application/json"

    @settings(
        max_examples=5 * fuzz_cases,
        derandomize=not fuzzing,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @example(body=meant, media_type=its_type, charset="")
    @given(
        body=raw_bodies(meant),
        media_type=st.sampled_from([its_type] * 20 + OTHER_TYPES),
        charset=st.sampled_from([""] * 20 + CHARSETS),
    )
    def check(body: bytes, media_type: str, charset: str) -> None:
        signature = f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
        response = http.request(
            "PUT" if "articles" in path else "POST",
            path,
            content=body,
            headers={
                "Content-Type": media_type + charset,
                "X-Coral-Signature": signature,
                "X-Discourse-Event-Signature": signature,
                "X-Discourse-Event": "post_created",
            },
        )
        seen[response.status_code] += 1
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            check_refusal(path, response)

    check()
    sys.stdout.write(f"{path}: {dict(seen)}\n")
    assert seen[200] + seen[201] + seen[204] > 0, seen


def check_refusal(path: str, response: httpx.Response) -> None:
    told = response.json()
    if path.startswith(("/v1alpha1", "/batch")):
        assert told["error"]["code"] == response.status_code
    elif path == "/v1/moderations":
        assert told["error"]["type"] == "invalid_request_error"
    else:
        assert (response.headers["content-type"], told["status"]) == (PROBLEM, response.status_code)
