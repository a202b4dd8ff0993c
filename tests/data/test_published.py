"""Premises for published comments: joined by the text's digest, and none that judges."""

import json
from collections import Counter
from pathlib import Path

import pytest

from data import load_plan, read_stance
from data.errors import ChecksError
from data.published import PUBLISHED_SOURCE, premise_files, published_rows
from data.rows import motion_group, text_group
from data.splits import side_of_groups
from tests.data.test_stance_checks import JUDGED_MOTIONS

SIDES = ("agree", "disagree", "neutral")


def digest(text: str) -> str:
    return text_group(text).removeprefix("text:")


def test_a_comment_stands_under_its_premises_and_keeps_its_group(tiny_data: Path, tmp_path: Path) -> None:
    stances = tiny_data / "stance/arc/arc_stances_train.csv"
    header, *pairs = stances.read_text().splitlines(keepends=True)
    # an unrelated pair of the same comment comes first, with another debate's group
    stances.write_text("".join([header, "Bees matter,90002,unrelated\n", *pairs]))
    related = next(row for row in read_stance(tiny_data, ["arc"]) if row.label == "agree")
    written = {
        "text": digest(related.text),
        "agree": ["Trams pay"],
        "disagree": ["Trams cost too much"],
        "neutral": ["Trams are old"],
    }
    absent = written | {"text": digest("A comment that no dataset holds")}
    (tmp_path / "arc.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (written, absent)))
    rows = published_rows(tiny_data, tmp_path)
    assert [(row.premise, row.label) for row in rows] == [
        ("Trams pay", "agree"),
        ("Trams cost too much", "disagree"),
        ("Trams are old", "neutral"),
    ]
    assert {(row.text, row.group, row.source) for row in rows} == {
        (related.text, related.group, PUBLISHED_SOURCE)
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not an object with a text's digest"),
        ('{"agree": ["A"]}', "not an object with a text's digest"),
        ('{"text": "0", "agree": "A"}', "agree must be a list of texts"),
        ('{"text": "0", "neutral": [" "]}', "neutral must be a list of texts"),
        ('{"text": "0", "disagre": ["A"]}', "'disagre' is neither text nor a side"),
    ],
)
def test_a_malformed_line_is_named(tiny_data: Path, tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "arc.jsonl").write_text(line + "\n")
    with pytest.raises(ChecksError, match=f"arc.jsonl, line 1: {message}"):
        published_rows(tiny_data, tmp_path)


@pytest.mark.parametrize("path", premise_files(), ids=lambda path: path.stem)
def test_a_premise_is_held_or_rejected_and_judges_nothing(path: Path) -> None:
    written = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({one["text"] for one in written}) == len(written) > 500
    for one in written:
        premises = [motion_group(premise) for side in SIDES for premise in one.get(side, [])]
        assert len(set(premises)) == len(premises) > 0
        assert JUDGED_MOTIONS.isdisjoint(premises)


def test_every_premise_finds_its_comment_and_none_is_one_that_is_tested(real_data: Path) -> None:
    rows, stance = published_rows(real_data), read_stance(real_data)
    written = sum(
        len(json.loads(line).get(side, []))
        for path in premise_files()
        for line in path.read_text(encoding="utf-8").splitlines()
        for side in SIDES
    )
    assert len(rows) == written
    sides = side_of_groups([*stance, *rows], load_plan())
    held_out = {motion_group(row.premise) for row in [*stance, *rows] if sides[row.group] != "train"}
    trained = [row for row in rows if sides[row.group] == "train"]
    assert held_out.isdisjoint(motion_group(row.premise) for row in trained)
    labels = Counter(row.label for row in rows)
    assert min(labels["agree"], labels["disagree"]) > 15_000
