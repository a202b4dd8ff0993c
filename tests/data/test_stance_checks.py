"""Debates, threads and cases of stance written for this project: enough, and judged apart from trained."""

import json
import re
from pathlib import Path

import pytest

from data.checks import load_stance_checks
from data.errors import ChecksError
from data.rows import motion_group
from data.written import DIRECT_SOURCE, load_threads, written_rows

CHECKS = load_stance_checks()
CASES = [case for one in CHECKS for case in one.cases]
JUDGED_MOTIONS = {motion_group(premise) for case in CASES for premise in (case.premise, case.opposite)}
_SHINGLE = 5


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1)}


def test_there_are_enough_functions_cases_and_premises() -> None:
    assert len(CHECKS) >= 20
    assert {one.name: len(one.cases) for one in CHECKS if len(one.cases) < 15} == {}
    assert len({motion_group(case.premise) for case in CASES}) >= 40
    assert len({case.text for case in CASES}) == len(CASES)
    assert all(one.title and one.about for one in CHECKS)


def test_towards_the_opposite_premise_the_sides_swap() -> None:
    swapped = {"agree": "disagree", "disagree": "agree", "neutral": "neutral", "unrelated": "unrelated"}
    for case in CASES:
        assert case.mirrored.label == swapped[case.label]
        assert case.mirrored.premise != case.premise
        assert case.mirrored.mirrored == case


def test_neither_comment_nor_premise_that_judges_trains() -> None:
    rows, threads = written_rows(), load_threads()
    trained = {row.text for row in rows} | {said.text for thread in threads for said in thread.comments}
    assert trained & {case.text for case in CASES} == set()
    premises = {row.premise for row in rows} | {thread.premise for thread in threads}
    assert {motion_group(premise) for premise in premises} & JUDGED_MOTIONS == set()
    known = {shingle for text in trained for shingle in shingles(text)}
    copied = [case.text for case in CASES if (own := shingles(case.text)) and len(own & known) > len(own) / 2]
    assert copied == []


def test_every_comment_is_read_towards_both_sides_of_its_debate() -> None:
    rows = written_rows()
    assert len(rows) > 4000
    labels = [row.label for row in rows]
    assert labels.count("agree") == labels.count("disagree") > 1500
    towards: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        towards.setdefault((row.group, row.text), []).append(row.label)
    assert {tuple(sorted(labels)) for labels in towards.values()} == {
        ("agree", "disagree"),
        ("neutral", "neutral"),
    }


def test_a_debate_s_comments_take_its_wordings_in_turn(tmp_path: Path) -> None:
    debate = {
        "premise": "Open it",
        "opposite": "Close it",
        "premises": ["Let it open"],
        "opposites": ["Shut it"],
    }
    comments = {
        "agree": ["Yes", "Do"],
        "disagree": ["No"],
        "neutral": [],
        "direct": {"agree": ["I am for it"]},
    }
    (tmp_path / "one.jsonl").write_text(json.dumps(debate | comments) + "\n")
    rows = written_rows(tmp_path)
    assert [(row.premise, row.text, row.label) for row in rows] == [
        ("Open it", "Yes", "agree"),
        ("Close it", "Yes", "disagree"),
        ("Let it open", "Do", "agree"),
        ("Shut it", "Do", "disagree"),
        ("Open it", "No", "disagree"),
        ("Close it", "No", "agree"),
        ("Let it open", "I am for it", "agree"),
        ("Shut it", "I am for it", "disagree"),
    ]
    assert {row.text for row in rows if row.source == DIRECT_SOURCE} == {"I am for it"}
    assert {row.group for row in rows} == {motion_group("Open it")}


def test_replies_answer_earlier_comments() -> None:
    threads = load_threads()
    replies = [said for thread in threads for said in thread.comments if said.parent is not None]
    assert len(threads) >= 100
    assert len(replies) > 400
    assert all(said.reply for said in replies)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"premise": "A", "opposite": "B", "agree": [], "disagree": [1]}', "disagree must be a list"),
        ('{"premise": "", "opposite": "B"}', "premise must be a text"),
        (
            '{"premise": "A", "opposite": "B", "agree": [], "disagree": [], "neutral": [], "direct": []}',
            "direct must",
        ),
        ('{"premise": "A", "opposite": "B", "premises": ["C", ""]}', "premises must be a list of texts"),
    ],
)
def test_a_malformed_debate_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "odd.jsonl").write_text(line + "\n")
    with pytest.raises(ChecksError, match=f"odd.jsonl, line 1: {message}"):
        written_rows(tmp_path)


@pytest.mark.parametrize(
    "comment",
    [
        '{"text": "x", "stance": "maybe"}',
        '{"text": "x", "stance": "agree", "parent": 0, "reply": "agree"}',
        '{"text": "x", "stance": "agree", "reply": "agree"}',
    ],
)
def test_a_comment_without_stance_or_earlier_parent_is_named(tmp_path: Path, comment: str) -> None:
    path = tmp_path / "threads.jsonl"
    path.write_text(f'{{"premise": "A", "opposite": "B", "comments": [{comment}]}}\n')
    with pytest.raises(ChecksError, match="comment 0 has no known stance, or no earlier parent"):
        load_threads(path)


def test_a_case_with_an_unknown_label_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text(
        'title = "a"\nabout = "b"\n[[cases]]\npremise = "p"\nopposite = "o"\ntext = "t"\nlabel = "yes"\n'
    )
    with pytest.raises(ChecksError, match=r"odd.toml: each \[\[cases\]\] needs"):
        load_stance_checks(tmp_path)
