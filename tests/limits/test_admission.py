"""What cannot be answered in time is refused at once; nothing that came in is lost."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from app.limits.admission import Admission

Serve = Callable[..., AbstractContextManager[Any]]
Connect = Callable[[str], Any]
COMMENT = {"comment": {"text": "Well said."}}


def admission(goal_s: float = 0.15) -> Admission:
    return Admission(goal_s=goal_s, bulk_wait=lambda: 0.0, most_bulk_wait_s=1.0, refused=lambda reason: None)


@pytest.mark.parametrize("per_second", [100, 400, 2_000])
def test_it_learns_how_many_can_be_answered_in_time(per_second: int) -> None:
    learnt = admission()
    for _ in range(400):
        waiting = [learnt.enter() for _ in range(int(learnt.limit))]
        for found in waiting:
            learnt.leave(found, found / per_second)
    assert learnt.limit == pytest.approx(0.15 * per_second, rel=0.35)


def test_slow_comments_without_others_leave_a_few_places() -> None:
    learnt = admission()
    for _ in range(1_000):
        learnt.leave(learnt.enter(), 2.0)
    assert 8 <= learnt.limit < 9


def test_what_got_no_scores_teaches_nothing() -> None:
    learnt = admission()
    before = learnt.limit
    for _ in range(100):
        learnt.leave(learnt.enter(), None)
    assert (learnt.limit, learnt.in_flight) == (before, 0)


@pytest.fixture
def crowded(serve: Serve) -> Any:
    """A service that has learnt that it can answer but a few comments in time."""
    with serve(overload_latency_ms=0.001) as running:
        httpx.post(f"{running.url}/v1/score", json=COMMENT, trust_env=False).raise_for_status()
        running.service.admission.limit = 8.0
        yield running


def test_of_many_at_once_some_are_answered_and_all_others_refused(
    crowded: Any, line: Connect, score_request: Callable[..., bytes], until: Callable[..., Any]
) -> None:
    def refused(count: int) -> bool:
        told = httpx.get(f"{crowded.url}/metrics", trust_env=False).text
        return f'counterpoint_requests_refused_total{{reason="single"}} {float(count)}' in told

    connections = [line(crowded.url) for _ in range(40)]
    with crowded.busy():
        for connection in connections:
            connection.send(score_request())
        until(lambda: refused(32))
    answers = [connection.answer() for connection in connections]
    statuses = Counter(status for status, _, _ in answers)
    assert statuses == {200: 8, 503: 32}
    for status, headers, body in answers:
        if status == 503:
            assert json.loads(body)["type"] == "urn:counterpoint:problem:busy"
            assert int(headers["retry-after"]) >= 1
    assert refused(32)
    assert (crowded.service.admission.in_flight, crowded.service.admission.coming) == (0, 0)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/score", "urn:counterpoint:problem:busy"),
        ("/v1alpha1/comments:analyze", "UNAVAILABLE"),
        ("/v1/moderations", "server_error"),
    ],
)
def test_refused_at_once_in_the_words_of_the_protocol_and_the_connection_goes_on(
    crowded: Any, line: Connect, score_request: Callable[..., bytes], path: str, kind: str
) -> None:
    crowded.service.admission.limit = 0
    connection = line(crowded.url)
    for _ in range(2):
        connection.send(score_request(path, {"comment": {"text": "x" * 100_000}}))
        status, headers, body = connection.answer()
        assert (status, int(headers["retry-after"]) >= 1) == (503, True)
        assert kind in body.decode()
    connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.answer()[0] == 200


def test_requests_sent_behind_each_other_are_answered_in_order(
    crowded: Any, line: Connect, score_request: Callable[..., bytes]
) -> None:
    connection = line(crowded.url)
    connection.send(b"".join(score_request(body={"comment": {"id": f"{n}", "text": "x"}}) for n in range(3)))
    answers = [connection.answer() for _ in range(3)]
    assert [json.loads(body).get("id") for status, _, body in answers if status == 200] == ["0", "1", "2"]


@pytest.mark.parametrize("path", ["/v1/score/batch", "/v1/score/stream", "/batch"])
def test_batches_and_streams_are_refused_while_more_wait_than_the_deadline_allows(
    serve: Serve, path: str
) -> None:
    with serve(deadline_s=1e-9) as running, httpx.Client(base_url=running.url, trust_env=False) as http:
        batcher = running.service.batcher
        assert http.post("/v1/score/batch", json={"items": []}).status_code == 200
        given_up = http.post("/v1/score/batch", json={"items": [COMMENT]}).json()["results"]
        assert [item["type"] for item in given_up] == ["urn:counterpoint:problem:took-too-long"]
        running.service.admission._bulk_wait = lambda: 2.0 + batcher.bulk_wait_s
        refused = http.post(path, json={})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
