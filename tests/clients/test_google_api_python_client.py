"""google-api-python-client, told nothing but the address of our discovery document."""

from collections.abc import Callable
from typing import Any

import pytest

from app.store.feedback import FeedbackStore

Run = Callable[..., Any]
RUDE = "You are a stupid idiot."


@pytest.fixture(scope="module")
def found(run_python: Run, server_url: str) -> Any:
    return run_python("google", "google_client.py", server_url)


def test_it_learns_where_to_send(found: Any, server_url: str) -> None:
    assert found["uri"] == f"{server_url}/v1alpha1/comments:analyze?key=any-key&alt=json"


def test_analyze(found: Any) -> None:
    answer = found["analyze"]
    assert answer.keys() == {"attributeScores", "languages", "detectedLanguages", "clientToken"}
    assert (answer["languages"], answer["detectedLanguages"], answer["clientToken"]) == (["en"], ["en"], "c1")
    assert answer["attributeScores"].keys() == {"TOXICITY", "INSULT@6"}
    for scores in answer["attributeScores"].values():
        assert scores["summaryScore"]["type"] == "PROBABILITY"
        assert 0.5 < scores["summaryScore"]["value"] <= 1
        assert scores["spanScores"] == [{"begin": 0, "end": len(RUDE), "score": scores["summaryScore"]}]
    assert found["partial"] == {"attributeScores": {"TOXICITY": {"summaryScore": {"type": "PROBABILITY"}}}}


def test_suggestscore(found: Any, feedback: FeedbackStore) -> None:
    languages = {"detectedLanguages": ["en"], "requestedLanguages": ["en"]}
    assert found["suggestscore"] == {"clientToken": "google-1", **languages}
    (kept,) = [one for one in feedback.latest() if one.client_token == "google-1"]
    assert (kept.text, kept.scores) == (RUDE, {"TOXICITY": 1.0})


def test_a_batch_of_100(found: Any) -> None:
    assert [place for place, _ in found["batch"]] == [str(n) for n in range(100)]
    for n, (place, answer) in enumerate(found["batch"]):
        if n % 10 == 0:
            assert answer["status"] == 400
            assert 'returned "Comment must be non-empty."' in answer["text"]
        else:
            assert answer["clientToken"] == place
    scores = [
        answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] if n % 10 else None
        for n, (_, answer) in enumerate(found["batch"])
    ]
    assert len(set(scores[1::10])) == len(set(scores[2::10])) == 1
    assert scores[1] > scores[2]


@pytest.mark.parametrize(
    ("name", "message", "error_type"),
    [
        ("empty", "Comment must be non-empty.", "COMMENT_EMPTY"),
        ("unknown", "Unknown requested attribute: SPAM", "INVALID_REQUEST"),
        (
            "language",
            "Attribute TOXICITY does not support request languages: om",
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        ),
        ("batch", "Too many calls in a batch: at most 100 are allowed.", "INVALID_REQUEST"),
    ],
)
def test_the_text_of_errors(found: Any, name: str, message: str, error_type: str) -> None:
    error = found["errors"][name]
    assert error["status"] == 400
    assert f'returned "{message}". Details: "[{{' in error["text"]
    assert f"'errorType': '{error_type}'" in error["text"]
    assert error["details"][0]["errorType"] == error_type
