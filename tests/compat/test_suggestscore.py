"""comments:suggestscore: what is kept, and what is answered."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.errors import StoreDownError
from app.feedback import Feedback, FeedbackFile, SpanFeedback

Refused = Callable[..., dict]
SUGGEST = "/v1alpha1/comments:suggestscore"
TEXT = "You are a stupid idiot."


def suggestion(text: str = TEXT, value: object = 1, **more: object) -> dict:
    scores = {"TOXICITY": {"summaryScore": {"value": value}}}
    return {"comment": {"text": text}, "attributeScores": scores} | more


def test_what_coral_sends_is_kept(http: httpx.Client, feedback: FeedbackFile) -> None:
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


def test_of_the_same_client_token_the_newest_counts(http: httpx.Client, feedback: FeedbackFile) -> None:
    for value in (1, 0, 1, 0):
        for community in ("one", "other"):
            body = suggestion(value=value, clientToken="comment:reversed", communityId=community)
            assert http.post(SUGGEST, json=body).status_code == 200
    kept = [one for one in feedback.latest() if one.client_token == "comment:reversed"]
    assert [(one.community_id, one.scores) for one in kept] == [
        ("one", {"TOXICITY": 0.0}),
        ("other", {"TOXICITY": 0.0}),
    ]


def test_without_a_token_each_counts_and_none_comes_back(http: httpx.Client, feedback: FeedbackFile) -> None:
    before = len(feedback.latest())
    for _ in range(2):
        assert http.post(SUGGEST, json=suggestion()).json() == {
            "detectedLanguages": ["en"],
            "requestedLanguages": ["en"],
        }
    assert len(feedback.latest()) == before + 2


def test_do_not_store_is_obeyed(http: httpx.Client, feedback_path: Path) -> None:
    secret = "Rosebud was his sledge"
    analysis = {"comment": {"text": secret}, "requestedAttributes": {"TOXICITY": {}}}
    http.post("/v1alpha1/comments:analyze", json=analysis).raise_for_status()
    http.post(SUGGEST, json=suggestion(secret, doNotStore=True)).raise_for_status()
    http.post(SUGGEST, json=suggestion()).raise_for_status()
    assert "Rosebud" not in feedback_path.read_text()


def test_spans_and_any_attribute_are_kept(http: httpx.Client, feedback: FeedbackFile) -> None:
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
    http: httpx.Client, refused: Refused, feedback: FeedbackFile, scores: object, message: str
) -> None:
    before = len(feedback.latest())
    error = refused(http.post(SUGGEST, json={"comment": {"text": TEXT}, "attributeScores": scores}))
    assert (error["message"], error["status"]) == (message, "INVALID_ARGUMENT")
    assert len(feedback.latest()) == before


def test_nothing_is_acknowledged_that_cannot_be_kept(serve: Any, refused: Refused, tmp_path: Path) -> None:
    with (
        serve(feedback_file=tmp_path / "no such folder" / "feedback.jsonl") as running,
        httpx.Client(base_url=running.url, trust_env=False) as http,
    ):
        assert refused(http.post(SUGGEST, json=suggestion()), 503)["status"] == "UNAVAILABLE"
        response = http.post(SUGGEST, json=suggestion(doNotStore=True))
        assert response.status_code == 200


def test_a_line_cut_short_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    FeedbackFile(path).add(Feedback("test", "one", {"TOXICITY": 1.0}))
    with path.open("ab") as file:
        file.write(b'{"source": "test", "text": "cut sh')
    FeedbackFile(path).add(Feedback("test", "two", spans=[SpanFeedback("THREAT", 0, 3, 1.0)]))
    kept = FeedbackFile(path).latest()
    assert [one.text for one in kept] == ["one", "two"]
    assert kept[1].spans == [SpanFeedback("THREAT", 0, 3, 1.0)]
    assert path.stat().st_mode & 0o077 == 0  # comments are nobody else's to read


def test_a_file_is_made_at_the_first_opinion(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    sink = FeedbackFile(path)
    assert sink.latest() == []
    assert not path.exists()
    path.mkdir()
    with pytest.raises(StoreDownError, match="feedback file"):
        sink.add(Feedback("test", "one"))
    with pytest.raises(StoreDownError, match="feedback file"):
        sink.latest()


def test_several_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    sinks = [FeedbackFile(path), FeedbackFile(path)]

    def write(number: int) -> None:
        for i in range(10):
            sinks[number % 2].add(Feedback("test", f"{number} {i}" * 500, client_token=f"{number} {i}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(FeedbackFile(path).latest()) == 60
