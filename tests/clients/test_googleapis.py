"""googleapis for Node.js, told nothing but the address of our discovery document."""

from collections.abc import Callable
from typing import Any

import pytest

from app.store.feedback import FeedbackStore

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def found(run_node: Run, server_url: str) -> Any:
    return run_node("googleapis.js", server_url)


def test_analyze(found: Any) -> None:
    answer = found["analyze"]
    assert answer["attributeScores"].keys() == {"TOXICITY", "THREAT@2"}
    scores = {name: given["summaryScore"]["value"] for name, given in answer["attributeScores"].items()}
    assert 0 <= scores["THREAT@2"] < scores["TOXICITY"] <= 1
    assert (answer["languages"], answer["detectedLanguages"], answer["clientToken"]) == (["en"], ["en"], "c1")
    assert found["partial"] == {"languages": ["en"]}


def test_spans_are_where_javascript_counts_them(found: Any) -> None:
    (praise, mild), (insult, severe) = found["spans"]
    assert (praise, insult) == ("Well done 👍👍.", "You are a stupid idiot.")
    assert mild < severe


def test_suggestscore(found: Any, feedback: FeedbackStore) -> None:
    languages = {"detectedLanguages": ["en"], "requestedLanguages": ["en"]}
    assert found["suggestscore"] == {"clientToken": "googleapis-1", **languages}
    (kept,) = [one for one in feedback.latest() if one.client_token == "googleapis-1"]
    assert (kept.community_id, kept.scores) == ("news", {"TOXICITY": 0.0})


def test_errors(found: Any) -> None:
    messages = ["Comment must be non-empty.", "Unknown requested attribute: SPAM"]
    assert [error["message"] for error in found["refusals"]] == messages
    for error in found["refusals"]:
        assert (error["status"], error["data"]["error"]["status"]) == (400, "INVALID_ARGUMENT")
        assert error["data"]["error"]["details"]
