"""Every row is scored or rejected, with its line and a reason, and the others go on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.rescore import ArchiveError
from app.schemas import Comment, ScoreRequest
from app.scorer import Scorer
from app.settings import Settings
from models import load_bundle

ROOT = str(Path(__file__).parents[2])
NO_ID = "the id is neither text of 1 to 256 characters nor a whole number"
BAD = (
    (b"not json\n", None, "broken JSON"),
    (b'{"id": "n1"}\n', "n1", "no text"),
    (b'{"id": "n2", "text": " \\u200b "}\n', "n2", "no text"),
    (b'{"id": "n3", "text": null}\n', "n3", "no text"),
    (b'{"id": "n4", "text": 5}\n', "n4", "text must be a string"),
    (b'{"id": "n5", "text": "\xff\xfe"}\n', None, "invalid UTF-8"),
    (b'["a", "b"]\n', None, "not an object of JSON"),
    (b'{"id": "n6", "text": "lone \\ud800 half"}\n', None, "broken JSON"),
    (b'{"id": ["x"], "text": "fine"}\n', None, NO_ID),
    (b'{"id": "c1", "text": "I come again."}\n', "c1", "duplicate id, first in line 2"),
    (json.dumps({"id": "n7", "text": "x" * 5_000_000}).encode() + b"\n", "n7",
     "text has 5000000 bytes in UTF-8, at most 20480 allowed"),
    (b'{"id": "n8", "text": "' + b"y" * 17_000_000 + b'"}\n', None, "the line has more than 16000000 bytes"),
)  # fmt: skip


def test_bad_rows_are_told_and_the_others_scored(bench: Any, make: Any, write: Any) -> None:
    path = write(bench.folder / "in.jsonl", make(40))
    with path.open("ab") as file:
        file.writelines(line for line, _, _ in BAD)
        file.write(b"\n" + json.dumps({"id": "last", "text": "I come last."}).encode())
    outcome = bench.run(path, part_bytes=1_500)
    assert [row["id"] for row in bench.rows()] == [*(f"c{n}" for n in range(40)), "last"]
    assert bench.rejects() == [
        {"file": str(path), "line": 41 + place, "id": id, "reason": reason}
        for place, (_, id, reason) in enumerate(BAD)
    ]
    assert (outcome.rows, outcome.rejects) == (41, len(BAD))
    assert sum(outcome.decisions.values()) == 41
    manifest = json.loads(outcome.manifest.read_text())
    assert manifest["counts"]["input"] == 41 + len(BAD) + 1
    assert manifest["counts"]["empty lines"] == 1


def test_scores_are_those_of_the_scorer(
    bench: Any, make: Any, write: Any, bundle_path: Path, tiny_settings: Settings
) -> None:
    rows = make(30)
    bench.run(write(bench.folder / "in.jsonl", rows), part_bytes=1_000)
    scorer = Scorer(load_bundle(bundle_path), tiny_settings)
    for row, found in zip(rows, bench.rows(), strict=True):
        [answer] = scorer.score([ScoreRequest(comment=Comment(text=row["text"], id=row["id"]))])
        civility = answer.civility
        assert found["language"] == answer.language
        assert found["civility"] == (civility.score if civility else None)
        for name, score in (civility.attributes if civility else {}).items():
            assert found[name] == score
        assert found["decision"] == answer.decision.action
        assert (found["reasons"] is None) == (answer.decision.reasons == [])
        assert (found["model"], found["id"]) == (answer.model, row["id"])
    assert {row["decision"] for row in bench.rows()} >= {"approve", "review"}


def test_stances_come_from_premises_titles_and_parents(bench: Any, write: Any) -> None:
    rows = [
        {"id": 1, "text": "I agree with the author.", "premise": "School phones ought to be banned."},
        {"id": 2, "text": "No, a terrible idea.", "title": "The city should close the square to cars."},
        {"id": 3, "text": "Nonsense, this is simply wrong.", "parent": 1},
        {"id": 4, "text": "When does the council vote?", "parent": 99},
    ]
    bench.run(write(bench.folder / "in.jsonl", rows))
    first, second, third, fourth = bench.rows()
    assert first["stance"] in {"agree", "uncertain"}
    assert first["stance_agree"] + first["stance_disagree"] + first["stance_neutral"] == pytest.approx(1)
    assert second["relevance"] is not None
    assert (third["stance"], third["parent"]) == (None, "1")
    assert third["reply_stance"] is not None
    assert (fourth["reply_stance"], fourth["parent"]) == (None, "99")
    bench.run(bench.folder / "in.jsonl", "without.jsonl", stance=False)
    assert {row["stance"] for row in bench.rows("without.jsonl")} == {None}


def test_parents_are_found_in_other_files(bench: Any, write: Any) -> None:
    folder = bench.folder / "archive"
    folder.mkdir()
    reply, parent = "Nonsense, this is simply wrong.", "I agree with the author."
    write(folder / "a.jsonl", [{"id": 1, "parent_id": 2, "text": reply}])
    (folder / "b.csv").write_text(f"id,parent_id,text\n2,,{parent}\n3,1,No.\n4,99,No.\n")
    write(folder / "c.jsonl", [{"id": 5, "parent_text": parent, "text": reply}])
    bench.run(folder)
    first, second, third, fourth, told = bench.rows()
    assert [row["parent"] for row in (first, second, third, fourth)] == ["2", None, "1", "99"]
    assert [row["reply_stance"] is None for row in (second, third, fourth)] == [True, False, True]
    assert first["reply_stance_agree"] == told["reply_stance_agree"]


def test_parents_are_found_inside_objects(bench: Any, write: Any) -> None:
    rows = [{"c": {"no": 1, "up": 2, "body": "No."}}, {"c": {"no": 2, "body": "I agree with the author."}}]
    columns = {"id": "c.no", "text": "c.body", "parent": "c.up"}
    bench.run(bench.order(write(bench.folder / "in.jsonl", rows), columns=columns))
    assert [row["reply_stance"] is None for row in bench.rows()] == [False, True]


def test_rows_without_ids_are_numbered(bench: Any, write: Any) -> None:
    bench.run(write(bench.folder / "in.jsonl", [{"body": "One comment."}, {"body": "Another comment."}]))
    assert [row["id"] for row in bench.rows()] == ["1", "2"]


def test_columns_are_named_or_found(bench: Any, write: Any) -> None:
    rows = [{"x": "Thank you for this report.", "y": "You idiot.", "comment": "Where is it?", "key": 7}]
    path = write(bench.folder / "in.jsonl", rows)
    bench.run(bench.order(path, columns={"text": "y", "id": "key"}), keep=True)
    [row] = bench.rows()
    assert (row["id"], row["x"], row["comment"]) == ("7", rows[0]["x"], rows[0]["comment"])
    assert "y" not in row
    with pytest.raises(ArchiveError, match="no column 'z'"):
        bench.run(bench.order(path, columns={"text": "z"}), "other.jsonl")


def test_what_later_lines_hold_is_kept_too(bench: Any, write: Any) -> None:
    rows = [{"id": n, "text": f"Comment number {n} here."} for n in range(1_200)]
    rows[-1]["late"] = {"a": [1, 2]}
    rows[0]["stance"] = "ours"
    bench.run(write(bench.folder / "in.jsonl", rows), keep=True)
    found = bench.rows()
    assert json.loads(found[-1]["other_columns"]) == {"late": {"a": [1, 2]}}
    assert found[0]["input_stance"] == "ours"


def test_a_sample_is_of_all_the_input_and_always_the_same(bench: Any, make: Any, write: Any) -> None:
    path = write(bench.folder / "in.jsonl", make(400))
    bench.run(path, sample=50, part_bytes=3_000)
    bench.run(path, "again.jsonl", sample=50, part_bytes=20_000)
    numbers = [int(row["id"][1:]) for row in bench.rows()]
    assert len(numbers) == 50
    assert numbers == sorted(numbers)
    assert numbers[0] < 100 < 300 < numbers[-1]
    assert bench.rows() == bench.rows("again.jsonl")


def test_a_line_without_an_end_does_not_fill_the_memory(bench: Any) -> None:
    path = bench.folder / "in.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id": "a", "text": "A comment."}\n{"text": "')
        for _ in range(300):
            file.write(b"z" * 1_000_000)
        file.write(b'"}\n{"id": "b", "text": "Another comment."}\n')
    script = (
        "import resource, sys; from pathlib import Path; from app.rescore.lines import read_lines; "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "sizes = [size for _, size in read_lines(open(sys.argv[1], 'rb'), 0, None)]; "
        "print(len(sizes), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": ROOT},
    )  # fmt: skip
    lines, kilobytes = map(int, found.stdout.split())
    assert lines == 3
    assert kilobytes < 100_000
