"""The main job on real input: a thread in, a table out, with the bundle that ships."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app
from data.examples import load_examples

EXAMPLES = Path(__file__).parent.parent.parent / "data" / "examples"


def score(*arguments: str) -> Any:
    found = CliRunner().invoke(app, ["score", *arguments, "--json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_the_seed_page_disagrees_civilly(seed_thread: Path, shipped_bundle_path: Path) -> None:
    found = score("--thread", str(seed_thread), "--bundle", str(shipped_bundle_path))
    assert found["title"].startswith("Russia: Decision To Pull Out Of ICC")
    first, second = found["comments"]
    assert [comment["date"][:16] for comment in (first, second)] == ["2016-11-17T20:51", "2016-11-18T00:10"]
    assert second["text"].startswith("Disagree")
    assert second["answer"]["stance"]["label"] == "disagree"
    assert [comment["answer"]["decision"]["action"] for comment in (first, second)] == ["approve", "approve"]
    assert all(comment["answer"]["civility"]["score"] > 0.7 for comment in (first, second))


@pytest.fixture(scope="module")
def examples(shipped_bundle_path: Path) -> list[tuple[Any, Any]]:
    """(labels, answer) of every example comment."""
    judged = []
    for thread in load_examples():
        found = score(
            "--thread", str(EXAMPLES / f"{thread.article.id}.json"), "--bundle", str(shipped_bundle_path)
        )
        answers = {comment["id"]: comment["answer"] for comment in found["comments"]}
        judged += [(comment.labels, answers[comment.id]) for comment in thread.comments]
    return judged


def test_civil_and_uncivil_comments_are_told_apart(examples: list[tuple[Any, Any]]) -> None:
    civil = [answer["civility"]["score"] for labels, answer in examples if labels.civil]
    uncivil = [answer["civility"]["score"] for labels, answer in examples if not labels.civil]
    assert sum(civil) / len(civil) > sum(uncivil) / len(uncivil) + 0.3


def test_no_comment_is_lightly_taken_for_the_other_side(examples: list[tuple[Any, Any]]) -> None:
    opposite = {"agree": "disagree", "disagree": "agree"}
    sided = [
        (labels.stance, answer["stance"]["label"]) for labels, answer in examples if labels.stance in opposite
    ]
    wrong = [label for stance, label in sided if label == opposite[stance]]
    assert len(wrong) <= 0.05 * len(sided)


def test_disagreement_is_not_held_against_a_comment(examples: list[tuple[Any, Any]]) -> None:
    def waved_through(stance: str) -> float:
        found = [
            a["decision"]["action"] == "approve"
            for labels, a in examples
            if labels.civil and labels.stance == stance
        ]
        return float(sum(found) / len(found))

    assert waved_through("disagree") >= waved_through("agree") - 0.1
    assert not [a for labels, a in examples if labels.civil and a["decision"]["action"] == "reject"]
