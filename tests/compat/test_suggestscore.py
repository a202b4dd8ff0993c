"""comments:suggestscore: what is kept, and what is answered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.feedback import SpanFeedback
from app.store.feedback import FeedbackStore

Refused = Callable[..., dict]
SUGGEST = "/v1alpha1/comments:suggestscore"
TEXT = "You are a stupid idiot."


def suggestion(text: str = TEXT, value: object = 1, **more: object) -> dict:
    scores = {"TOXICITY": {"summaryScore": {"value": value}}}
    return {"comment": {"text": text}, "attributeScores": scores} | more


def test_what_coral_sends_is_kept(http: httpx.Client, feedback: FeedbackStore) -> None:
    place = json.dumps({"url": "https://news.example/1", "Coral_comment_id": "c1"})
    body = suggestion(
        context={"entries": [{"text": place}]},
        languages=["en"],
        communityId="Coral:https://news.example",
        clientToken="comment:c1",
    )
    response = http.post(f"{SUGGEST}?key=k", json=body)
    assert response.json() == {
        "clientToken": "comment:c1",
        "detectedLanguages": ["en"],
        "requestedLanguages": ["en"],
    }
    kept = feedback.latest()[-1]
    assert (kept.source, kept.text, kept.scores) == ("perspective", TEXT, {"TOXICITY": 1.0})
    assert (kept.community_id, kept.client_token) == ("Coral:https://news.example", "comment:c1")
    assert (kept.context, kept.languages, kept.session_id) == ([place], ["en"], None)


def test_of_the_same_client_token_the_newest_counts(http: httpx.Client, feedback: FeedbackStore) -> None:
    for value in (1, 0, 1, 0):
        for community in ("one", "other"):
            body = suggestion(value=value, clientToken="comment:reversed", communityId=community)
            assert http.post(SUGGEST, json=body).status_code == 200
    kept = [one for one in feedback.latest() if one.client_token == "comment:reversed"]
    assert [(one.community_id, one.scores) for one in kept] == [
        ("one", {"TOXICITY": 0.0}),
        ("other", {"TOXICITY": 0.0}),
    ]


def test_without_a_token_each_counts_and_none_comes_back(http: httpx.Client, feedback: FeedbackStore) -> None:
    before = len(feedback.latest())
    for _ in range(2):
        assert http.post(SUGGEST, json=suggestion()).json() == {
            "detectedLanguages": ["en"],
            "requestedLanguages": ["en"],
        }
    assert len(feedback.latest()) == before + 2


def test_do_not_store_is_obeyed(http: httpx.Client, database_path: Path) -> None:
    secret = "Rosebud was his sledge"
    analysis = {"comment": {"text": secret}, "requestedAttributes": {"TOXICITY": {}}}
    http.post("/v1alpha1/comments:analyze", json=analysis).raise_for_status()
    http.post(SUGGEST, json=suggestion(secret, doNotStore=True)).raise_for_status()
    http.post(SUGGEST, json=suggestion()).raise_for_status()
    files = list(database_path.parent.iterdir())
    assert b"stupid idiot" in b"".join(file.read_bytes() for file in files)
    assert not any(b"Rosebud" in file.read_bytes() for file in files)


def test_spans_and_any_attribute_are_kept(http: httpx.Client, feedback: FeedbackStore) -> None:
    span = {"begin": 0, "end": "3", "score": {"value": 0.5, "type": "PROBABILITY"}}
    scores = {"SPAM": {"spanScores": [span]}, "INSULT": {"summaryScore": {"value": "0.25", "type": 1}}}
    body = {"comment": {"text": TEXT}, "attributeScores": scores, "sessionId": "s"}
    http.post(SUGGEST, json=body).raise_for_status()
    kept = feedback.latest()[-1]
    assert (kept.scores, kept.spans) == ({"INSULT": 0.25}, [SpanFeedback("SPAM", 0, 3, 0.5)])
    assert kept.session_id == "s"


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (None, "Missing attribute_scores"),
        ({}, "Missing attribute_scores"),
        ({"TOXICITY": {}}, "Missing scores of attribute TOXICITY"),
        ({"TOXICITY": None}, "Missing scores of attribute TOXICITY"),
        ({"TOXICITY": {"spanScores": []}}, "Missing scores of attribute TOXICITY"),
        (
            {"TOXICITY": {"summaryScore": {}}},
            "Invalid value at 'attribute_scores[0].value.summary_score.value' (TYPE_FLOAT)",
        ),
        (
            {"TOXICITY": {"summaryScore": {"value": 1.5}}},
            "Invalid value at 'attribute_scores[0].value.summary_score.value' (TYPE_FLOAT)",
        ),
        (
            {"TOXICITY": {"summaryScore": {"value": 1, "type": "RAW"}}},
            "Requested score type RAW is not supported by attribute TOXICITY",
        ),
        (
            {"TOXICITY": {"spanScores": [{"end": 3, "score": {"value": 1}}]}},
            "Invalid value at 'attribute_scores[0].value.span_scores[0].begin' (TYPE_INT32)",
        ),
        (
            {"TOXICITY": {"spanScores": [{"begin": 3, "end": 3, "score": {"value": 1}}]}},
            "Invalid value at 'attribute_scores[0].value.span_scores[0].end' (TYPE_INT32)",
        ),
    ],
)
def test_malformed_suggestions(
    http: httpx.Client, refused: Refused, feedback: FeedbackStore, scores: object, message: str
) -> None:
    before = len(feedback.latest())
    error = refused(http.post(SUGGEST, json={"comment": {"text": TEXT}, "attributeScores": scores}))
    assert (error["message"], error["status"]) == (message, "INVALID_ARGUMENT")
    assert len(feedback.latest()) == before


def test_nothing_is_acknowledged_that_cannot_be_kept(serve: Any, refused: Refused, tmp_path: Path) -> None:
    with (
        serve(database_url=f"sqlite:///{tmp_path / 'no such folder' / 'x.sqlite3'}", open=True) as running,
        httpx.Client(base_url=running.url, trust_env=False) as http,
    ):
        assert refused(http.post(SUGGEST, json=suggestion()), 503)["status"] == "UNAVAILABLE"
        response = http.post(SUGGEST, json=suggestion(doNotStore=True))
        assert response.status_code == 200


def test_a_stance_is_kept_with_what_it_is_towards(http: httpx.Client, feedback: FeedbackStore) -> None:
    scores = {
        "STANCE_AGREE": {"summaryScore": {"value": 0.2}},
        "STANCE_DISAGREE": {"summaryScore": {"value": 1}},
    }
    context = {"articleAndParentComment": {"article": {"text": "Ban cars.\n\nThe rest."}}}
    body = {"comment": {"text": TEXT}, "attributeScores": scores, "context": context}
    http.post(SUGGEST, json=body).raise_for_status()
    kept = feedback.latest()[-1]
    assert (kept.stance, kept.premise) == ("disagree", "Ban cars.")
