"""perspective-api-client for Node.js, whose host cannot be changed, behind a preload that redirects it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
REDIRECT = Path(__file__).parent / "scripts" / "redirect.js"
SIX = {"TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT"}


@pytest.fixture(scope="module")
def found(run_node: Run, server_url: str) -> Any:
    options = ("--require", str(REDIRECT))
    return run_node("perspective_api_client.js", options=options, CLIENTS_URL=server_url)


def test_analyze(found: Any) -> None:
    assert found["plain"]["attributeScores"].keys() == {"TOXICITY"}
    assert found["six"]["attributeScores"].keys() == SIX
    plain, six = (found[name]["attributeScores"]["TOXICITY"] for name in ("plain", "six"))
    assert plain == six
    assert 0.5 < plain["summaryScore"]["value"] <= 1


def test_scores_below_their_threshold_are_absent(found: Any) -> None:
    assert found["object"] == {"languages": ["en"], "detectedLanguages": ["en"], "clientToken": "c1"}


def test_the_longest_text_that_it_sends_is_taken(found: Any) -> None:
    (span,) = found["longest"]["attributeScores"]["TOXICITY"]["spanScores"]
    assert (span["begin"], span["end"]) == (0, 20_480)


def test_errors_reach_the_caller_in_words(found: Any) -> None:
    messages = ["Unknown requested attribute: SPAM", "Comment must be non-empty.", "Comment text too long."]
    assert [error["message"] for error in found["refusals"]] == messages
    assert {(error["name"], error["status"]) for error in found["refusals"]} == {("ResponseError", 400)}
