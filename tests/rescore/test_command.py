"""`counterpoint rescore` as a person uses it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app


@pytest.fixture
def command(bench: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(bench.folder)

    def run(*arguments: str, scoring: bool = True, **more: Any) -> Any:
        bundle = ["--bundle", str(bench.model.folder), "--workers", "1"] if scoring else []
        return CliRunner().invoke(app, ["rescore", *arguments, *bundle], **more)

    return run


def test_it_says_what_it_did(bench: Any, command: Any, make: Any, write: Any) -> None:
    rows = make(30)
    rows[3]["text"] = ""
    write(bench.folder / "in.jsonl", rows)
    found = command("in.jsonl", "--output", "out.csv")
    assert found.exit_code == 0, found.output
    assert "29" in found.stderr
    assert "no text" in found.stderr
    assert "out.csv.rejects.jsonl" in found.stderr
    assert command("in.jsonl", "--output", "out.csv", "--fail-on-reject").exit_code == 1
    assert "complete already" in command("in.jsonl", "--output", "out.csv").stderr
    for row in rows[:3]:
        assert row["text"] not in found.output


def test_standard_input(bench: Any, command: Any, make: Any) -> None:
    text = "".join(json.dumps(row) + "\n" for row in make(5))
    found = command("-", "--output", "out.jsonl", input=text)
    assert found.exit_code == 0, found.output
    assert len(bench.rows()) == 5


def test_a_dry_run_shows_what_is_recognised_and_writes_nothing(
    bench: Any, command: Any, make: Any, write: Any
) -> None:
    rows = make(5, post_title="A title", likes=3)
    rows[1]["text"] = ""
    write(bench.folder / "in.jsonl", rows)
    found = command("in.jsonl", "--dry-run", scoring=False)
    assert found.exit_code == 0, found.output
    assert "post_title" in found.output
    assert "likes" in found.output
    assert "4 can be scored, 4 with a premise" in found.output
    assert "1 rejected: no text" in found.output
    assert [path.name for path in bench.folder.iterdir()] == ["in.jsonl"]


def test_compare_tells_the_drift(
    bench: Any, command: Any, make: Any, write: Any, second_bundle_path: Path, monkeypatch: Any
) -> None:
    write(bench.folder / "in.jsonl", make(60))
    arguments = ["rescore", "in.jsonl", "--workers", "1", "--bundle", str(second_bundle_path)]
    assert CliRunner().invoke(app, [*arguments, "--output", "old.csv.gz"]).exit_code == 0
    found = command("in.jsonl", "--output", "new.parquet", "--compare", "old.csv.gz")
    assert found.exit_code == 0, found.output
    assert "60 comments in both" in found.output
    told = json.loads((bench.folder / "new.parquet.drift.json").read_text())
    assert told["both"] == 60
    assert sum(told["decisions"].values()) == 60
    assert 0.5 < told["correlations"]["TOXICITY"] < 1
    assert len(told["largest"]) == 50
    moves = [abs(moved["old"] - moved["new"]) for moved in told["largest"]]
    assert moves == sorted(moves, reverse=True)
    assert (bench.folder / "new.parquet.drift.png").read_bytes().startswith(b"\x89PNG")
    same = command("in.jsonl", "--output", "same.jsonl", "--compare", "new.parquet")
    assert "0 decisions change" in same.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "o.jsonl"], "give INPUT"),
        (["in.jsonl"], "give --output"),
        (["in.jsonl", "--output", "o.jsonl", "--query", "SELECT 1"], "--query goes with --sql"),
        (["in.jsonl", "--output", "o.jsonl", "--url", "http://x", "--scheduler", "tcp://y"], "only one"),
        (["in.jsonl", "--output", "o.jsonl", "--url", "http://x", "--workers", "2"], "--workers goes"),
        (["in.jsonl", "--output", "o.jsonl", "--url", "http://x", "--encoder-share", "0"], "has its own"),
    ],
)
def test_commands_that_contradict_themselves(command: Any, arguments: list[str], message: str) -> None:
    found = command(*arguments, scoring=False)
    assert found.exit_code == 2
    assert message in " ".join(found.output.replace("│", " ").split())


def test_a_missing_file_is_one_line_of_error(command: Any) -> None:
    found = command("nothing.jsonl", "--output", "o.jsonl")
    assert found.exit_code == 1
    assert "nothing.jsonl: there is no such file" in str(found.exception)
