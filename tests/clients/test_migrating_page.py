"""docs/migrating-from-perspective.md says what the service does."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "migrating-from-perspective.md").read_text(encoding="utf-8")
ANALYZE = "/v1alpha1/comments:analyze"
RUDE = "You are a stupid idiot."


@pytest.fixture
def http(server_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server_url, timeout=60, trust_env=False) as client:
        yield client


def test_what_it_says_is_refused_is_refused(http: httpx.Client) -> None:
    table = PAGE.split("| family | refused |")[1].split("\n\n")[0]
    names = re.findall(r"`([A-Z_]+)`", table)
    assert len(names) > 20
    for name in names:
        response = http.post(ANALYZE, json={"comment": {"text": RUDE}, "requestedAttributes": {name: {}}})
        assert response.status_code == 400
        assert response.json()["error"]["message"] == f"Unknown requested attribute: {name}"


def test_what_it_says_is_scored_is_scored(http: httpx.Client) -> None:
    names = re.findall(r"^\| ([A-Z_]+) \|", PAGE, re.MULTILINE)
    assert len(names) == 9
    twins = [f"{name}_EXPERIMENTAL" for name in names[:6]]
    body = {
        "comment": {"text": "I disagree with the author."},
        "requestedAttributes": {name: {} for name in [*names, *twins]},
        "context": {"articleAndParentComment": {"article": {"text": "The city should close the square."}}},
    }
    scores = http.post(ANALYZE, json=body).json()["attributeScores"]
    assert scores.keys() == {*names, *twins}
    assert sum(scores[name]["summaryScore"]["value"] for name in names[6:]) == pytest.approx(1, abs=0.001)


def test_its_request_is_answered_as_it_stands(http: httpx.Client) -> None:
    (body,) = re.findall(r"-d '(\{.+\})'", PAGE)
    answer = http.post(f"{ANALYZE}?key=any", content=body).json()
    assert answer["attributeScores"].keys() == {"TOXICITY"}
