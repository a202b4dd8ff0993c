"""Coral's requests as recorded in recorded/coral.json, sent by HTTP clients set as Coral sets its own.

The shapes are those of its perspective.ts and of its phases/external.ts. Its 800 ms for the Perspective API
are kept; what comes later counts as an error there, and the comment goes through unjudged.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.store.feedback import FeedbackStore

Run = Callable[..., Any]
RECORDED = Path(__file__).parent / "recorded" / "coral.json"
THRESHOLD = 0.8  # Coral's default; a comment is toxic above it


@pytest.fixture(scope="module")
def found(run_node: Run, server_url: str, coral_secrets: list[str]) -> Any:
    return run_node("coral.js", server_url, str(RECORDED), *coral_secrets)


def score(answer: Any, model: str = "TOXICITY") -> float:
    """As its toxic phase reads it."""
    value: float = answer["data"]["attributeScores"][model]["summaryScore"]["value"]
    return value


def test_every_request_is_answered_in_time_and_without_a_redirect(found: Any) -> None:
    statuses = {name: answer["status"] for name, answer in found["perspective"].items()}
    assert statuses.pop("analyzeUnknownModel") == 400
    assert set(statuses.values()) == {200}


def test_scores(found: Any) -> None:
    answers = found["perspective"]
    assert score(answers["analyze"]) > THRESHOLD > score(answers["analyzeCivil"])
    assert score(answers["analyzeInPortuguese"]) > 0.5
    assert score(answers["analyzeOtherModel"], "TOXICITY_EXPERIMENTAL") == score(answers["analyze"])


def test_a_decision_that_is_reversed(found: Any, feedback: FeedbackStore) -> None:
    for name in ("rejected", "approvedAfterAll"):
        assert found["perspective"][name]["data"]["clientToken"] == "comment:c1"
    (kept,) = [one for one in feedback.latest() if one.client_token == "comment:c1"]
    assert (kept.community_id, kept.scores) == ("Coral:https://comments.news.example", {"TOXICITY": 0.0})
    assert json.loads(kept.context[0])["Coral_comment_id"] == "c1"


def test_the_external_phase(found: Any) -> None:
    civil, rude = found["phase"]["civil"], found["phase"]["rude"]
    assert civil == {"status": 204, "text": ""}
    assert rude["status"] == 200
    flag = {"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}
    assert json.loads(rude["text"]) == {"actions": [flag], "status": "SYSTEM_WITHHELD"}


def test_a_secret_that_is_not_ours(found: Any) -> None:
    assert found["unknownSecret"]["status"] == 403
