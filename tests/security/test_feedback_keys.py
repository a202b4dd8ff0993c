"""Feedback says with which key it came, so that what one key sent can be found, and forgotten."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from app.access.keys import read_key
from app.client import Client

OPINION = {"comment": {"text": "What a fool."}, "labels": {"INSULT": 1}}
SUGGEST = "/v1alpha1/comments:suggestscore"


def id_of(key: str) -> str:
    given = read_key(key)
    assert given is not None
    return given.id


def sent_from(keyed: Any, community: str) -> list[str | None]:
    kept = keyed.service.store.feedback.iterate(community=community)
    return [one.feedback.key_id for one in kept]


def test_every_opinion_keeps_the_id_of_its_key(http: httpx.Client, keyed: Any) -> None:
    for key in (keyed.feedback, keyed.every):
        body = {"items": [OPINION | {"community": "ids"}] * 2}
        assert http.post("/v1/feedback", json=body, headers={"X-API-Key": key}).status_code == 201
    first, other = id_of(keyed.feedback), id_of(keyed.every)
    assert sent_from(keyed, "ids") == [first, first, other, other]


def suggestion(community: str) -> dict[str, Any]:
    scores = {"TOXICITY": {"summaryScore": {"value": 1}}}
    return {"comment": {"text": "What a fool."}, "attributeScores": scores, "communityId": community}


def test_so_do_those_of_the_perspective_api_and_of_each_call_of_a_batch(
    http: httpx.Client, keyed: Any
) -> None:
    answer = http.post(f"{SUGGEST}?key={keyed.feedback}", json=suggestion("alone"))
    assert answer.status_code == 200
    assert sent_from(keyed, "alone") == [id_of(keyed.feedback)]
    parts = [
        f"--x\r\nContent-Type: application/http\r\n\r\nPOST {call} HTTP/1.1\r\n\r\n"
        f"{json.dumps(suggestion('batch'))}\r\n"
        for call in (SUGGEST, f"{SUGGEST}?key={keyed.feedback}")
    ]
    headers = {"Content-Type": "multipart/mixed; boundary=x", "X-API-Key": keyed.every}
    assert http.post("/batch", content="".join(parts) + "--x--", headers=headers).status_code == 200
    assert sent_from(keyed, "batch") == [id_of(keyed.every), id_of(keyed.feedback)]


def test_nobody_writes_down_another_key_than_its_own(http: httpx.Client, keyed: Any) -> None:
    body = OPINION | {"key_id": id_of(keyed.every)}
    refused = http.post("/v1/feedback", json=body, headers={"X-API-Key": keyed.feedback})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "key_id")


def test_where_no_key_is_needed_none_is_kept(serve: Any) -> None:
    with serve() as running:
        sent = {"X-API-Key": "cp_aaaaaaaaaa_" + "a" * 43}
        answer = httpx.post(f"{running.url}/v1/feedback", json=OPINION, headers=sent, trust_env=False)
        assert answer.status_code == 201
        [kept] = running.service.store.feedback.iterate()
        assert kept.feedback.key_id is None


def test_what_one_key_sent_is_forgotten_and_nothing_else(keyed: Any, invoke: Callable[..., Any]) -> None:
    bad = keyed.add("feedback")
    for key in (keyed.feedback, bad):
        with Client(keyed.url, api_key=key) as client:
            client.give_feedback([OPINION | {"community": "poisoned"}] * 3)
    place = {"COUNTERPOINT_DATABASE_URL": keyed.settings.database_url}
    forget = ("store", "prune", "--older-than", "0h", "--key-id", id_of(bad))
    assert invoke(*forget, "--only", "comments", **place).exit_code == 2
    told = invoke(*forget, "--dry-run", **place)
    assert "feedback: 3 rows" in told.output
    assert "comments:" not in told.output
    assert len(sent_from(keyed, "poisoned")) == 6
    assert "feedback: 3 rows" in invoke(*forget, **place).output
    assert sent_from(keyed, "poisoned") == [id_of(keyed.feedback)] * 3


def test_the_command_gives_its_key(keyed: Any, invoke: Callable[..., Any]) -> None:
    told = ("feedback", "Silly hat.", "--label", "INSULT=0", "--community", "shell", "--url", keyed.url)
    assert invoke(*told, COUNTERPOINT_API_KEY=keyed.feedback).output == "1 kept\n"
    assert sent_from(keyed, "shell") == [id_of(keyed.feedback)]
