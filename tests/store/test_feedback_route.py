"""`POST /v1/feedback` on a real service, with each database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

Serve = Callable[..., AbstractContextManager[Any]]
PREMISE = "Ban cars from the centre."
OPINION = {"comment": {"text": "What a fool."}, "labels": {"INSULT": 1}}


@pytest.fixture
def running(serve: Serve, database_url: str) -> Iterator[Any]:
    with serve(database_url=database_url, database_timeout_s=30) as running:
        yield running


@pytest.fixture
def http(running: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client:
        yield client


def kept(running: Any) -> list[Any]:
    found: list[Any] = running.service.store.feedback.latest()
    return found


def test_from_a_comment_to_a_judged_example(http: httpx.Client, running: Any) -> None:
    http.put("/v1/articles/a", json={"premise": PREMISE})
    comment = {"text": "I disagree with this fool.", "id": "c1"}
    scored = http.post("/v1/score", json={"comment": comment, "article": {"id": "a"}, "store": "text"}).json()
    assert scored["stored"] == "text"
    # The moderator's tool knows the ids alone.
    opinion = {
        "comment": {"id": "c1"},
        "article": {"id": "a"},
        "labels": {"INSULT": 0, "TOXICITY": 0.5},
        "stance": "disagree",
        "source": "moderator:17",
        "role": "moderator",
        "community": "news.example",
        "client_token": "c1",
    }
    response = http.post("/v1/feedback", json=opinion)
    assert response.status_code == 201
    (judged,) = running.service.store.judged.iterate(community="news.example")
    assert [judged.uid] == response.json()["ids"]
    assert (judged.text, judged.premise) == (comment["text"], PREMISE)
    assert (judged.feedback.scores, judged.feedback.stance) == ({"INSULT": 0.0, "TOXICITY": 0.5}, "disagree")
    assert (judged.feedback.source, judged.feedback.role) == ("moderator:17", "moderator")
    assert judged.scored is not None
    assert judged.scored.civility == scored["civility"]["attributes"]
    assert judged.scored.model == scored["model"]


def test_of_registered_claims_an_opinion_is_on_the_first_or_the_one_it_names(
    http: httpx.Client, running: Any
) -> None:
    claims = [PREMISE, "Buses should be free."]
    http.put("/v1/articles/a", json={"premise": claims})
    comment = {"text": "I disagree with this.", "id": "c1"}
    scored = http.post("/v1/score", json={"comment": comment, "article": {"id": "a"}, "store": "text"}).json()
    (stored,) = running.service.store.comments.find(["c1"])
    assert (stored.premise, stored.stance) == (PREMISE, scored["stances"][0]["label"])
    summary = http.get("/v1/articles/a/summary").json()
    assert (summary["premise"], summary["stance"]["judged"]) == (PREMISE, 1)
    for more in ({}, {"premise": claims[1]}):
        opinion = {"comment": {"id": "c1"}, "article": {"id": "a"} | more, "stance": "disagree"}
        assert http.post("/v1/feedback", json=opinion).status_code == 201
    assert [one.premise for one in kept(running)] == claims


def test_a_list_is_kept_whole_or_not_at_all(http: httpx.Client, running: Any) -> None:
    response = http.post("/v1/feedback", json={"items": [OPINION, OPINION | {"stance": "agree"}]})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "items.1.article.premise"
    assert kept(running) == []
    items = [OPINION, OPINION | {"stance": "agree", "article": {"premise": PREMISE}}]
    assert len(http.post("/v1/feedback", json={"items": items}).json()["ids"]) == 2
    assert [(one.stance, one.premise) for one in kept(running)] == [(None, None), ("agree", PREMISE)]


def test_the_same_key_keeps_once(http: httpx.Client, running: Any) -> None:
    headers = {"Idempotency-Key": "5f6b"}
    first = http.post("/v1/feedback", json=OPINION, headers=headers)
    again = http.post("/v1/feedback", json=OPINION, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    other = http.post("/v1/feedback", json={"items": [OPINION]}, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:counterpoint:problem:idempotency-key-reused"
    assert len(kept(running)) == 1


def test_a_comment_without_its_text_cannot_be_judged_by_id(http: httpx.Client, running: Any) -> None:
    score = {"comment": {"text": "A secret.", "id": "c1"}, "store": "digest"}
    assert http.post("/v1/score", json=score).json()["stored"] == "digest"
    response = http.post("/v1/feedback", json={"comment": {"id": "c1"}, "labels": {"INSULT": 1}})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "comment.text"
    assert "no comment with this id is stored" in response.json()["detail"]
    given = {"comment": {"id": "c1", "text": "A secret."}, "labels": {"INSULT": 1}}
    assert http.post("/v1/feedback", json=given).status_code == 201
    (judged,) = running.service.store.judged.iterate()
    assert judged.scored is not None


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"labels": {}}, "labels is required, where there is no stance"),
        ({"labels": {"INSULT": 1.5}}, "labels.INSULT must be between 0 and 1"),
        ({"labels": {"INSULT": "yes"}}, "labels.INSULT must be a number"),
        ({"labels": {"RUDE": 1}}, "labels.RUDE.[key] is not one of the values that are known here"),
        ({"stance": "against"}, "stance is not one of the values that are known here"),
        ({"comment": {}}, "comment.text is required, where there is no id"),
        ({"comment": {"text": " "}}, "comment.text is empty"),
        ({"comment": {"text": "x" * 20_481}}, "comment.text has 20481 bytes in UTF-8, at most 20480 allowed"),
        ({"source": "x" * 257}, "source has too many characters, at most 256 allowed"),
        ({"client_token": "\0"}, "client_token must not contain the character NUL"),
        ({"article": {"premise": "\0"}}, "article.premise must not contain the character NUL"),
        ({"token": "x"}, "token is not a known field"),
    ],
)
def test_what_is_refused(server: Any, change: dict, detail: str) -> None:
    response = httpx.post(f"{server.url}/v1/feedback", json=OPINION | change, trust_env=False)
    assert response.status_code == 422
    assert response.json()["detail"].replace("(unnamed)", "[key]") == detail
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", "x" * 257, "ü"])
def test_keys_that_are_refused(server: Any, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    response = httpx.post(f"{server.url}/v1/feedback", json=OPINION, headers=headers, trust_env=False)  # type: ignore[arg-type]
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"


def test_too_many_items(serve: Serve) -> None:
    with serve(max_batch_items=2) as running:
        body = {"items": [OPINION] * 3}
        response = httpx.post(f"{running.url}/v1/feedback", json=body, trust_env=False)
        none = httpx.post(f"{running.url}/v1/feedback", json={"items": []}, trust_env=False)
    assert (response.status_code, none.status_code) == (422, 422)
    assert response.json()["detail"] == "items has 3 entries, at most 2 allowed"
    assert none.json()["detail"] == "items is empty"
