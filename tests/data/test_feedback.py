"""Feedback as `counterpoint store export` writes it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.errors import MalformedFileError, MissingDataError
from data.feedback import Opinion, read_feedback, write_feedback

ROW = {"table": "feedback", "source": "moderator:1", "received": "2026-11-01T10:00:00+01:00", "digest": "d1"}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "feedback.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_opinions_come_back_as_they_were_written(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 1, 9, tzinfo=UTC)
    given = [
        Opinion("You idiot", "m", moment, {"INSULT": 1.0}, role="moderator", community="north", uid="1"),
        Opinion("I agree", "r", moment, stance="agree", premise="Close it", languages=("en",)),
    ]
    write_feedback(tmp_path / "f.jsonl", given)
    assert read_feedback(tmp_path / "f.jsonl") == given


def test_other_tables_complete_what_an_opinion_lacks(tmp_path: Path) -> None:
    comment = {"table": "comments", "digest": "d1", "text": "Nonsense.", "premise": "Close the square"}
    article = {"table": "articles", "id": "a"}
    opinion = ROW | {
        "text": None,
        "premise": None,
        "stance": "disagree",
        "labels": {"TOXICITY": 0.25, "SPAM": 1},
    }
    [found] = read_feedback(written(tmp_path, article, comment, opinion))
    assert (found.text, found.premise, found.stance) == ("Nonsense.", "Close the square", "disagree")
    assert found.labels == {"TOXICITY": 0.25}
    assert found.received == datetime(2026, 11, 1, 9, tzinfo=UTC)


def test_an_opinion_of_which_only_a_digest_is_left_is_passed_over(tmp_path: Path) -> None:
    assert read_feedback(written(tmp_path, ROW)) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": {"TOXICITY": 1.5}}, "labels.TOXICITY must be a number from 0 to 1"),
        ({"labels": {"TOXICITY": True}}, "labels.TOXICITY must be a number from 0 to 1"),
        ({"labels": [1]}, "'labels' is not an object"),
        ({"stance": "perhaps"}, "stance must be of agree"),
        ({"received": "yesterday"}, "'received' is not a time"),
        ({"source": None}, "'source' is not text"),
        ({"community": 7}, "'community' is not text"),
        ({"languages": "en"}, "'languages' is not a list"),
    ],
)
def test_the_fault_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = written(tmp_path, ROW | {"text": "x"}, ROW | {"text": "x"} | change)
    with pytest.raises(MalformedFileError, match=f"line 2: .*{reason}"):
        read_feedback(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"none\.jsonl is missing"):
        read_feedback(tmp_path / "none.jsonl")
