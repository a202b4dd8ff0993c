"""Retraining from the service's database, and with its parallel parts on a Dask cluster."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.feedback import Feedback
from app.store import Store
from data.feedback import Opinion, write_feedback

CIVIL = (
    "Thank you for this careful report.",
    "The bus came late again this morning.",
    "My neighbours welcome it.",
)


def said(n: int) -> list[tuple[str, float]]:
    return [
        (f"{CIVIL[i % 3]} Proper {'wazzock' if i % 2 else 'job'}, this mayor. {i}", float(i % 2))
        for i in range(n)
    ]


@pytest.fixture
def command(bundle_path: Path, tmp_path: Path) -> list[str]:
    places = ["--champion", str(bundle_path), "--releases", str(tmp_path / "releases")]
    return [
        "retrain",
        "--without-base-data",
        "--dry-run",
        "--no-plots",
        *places,
        "--report",
        str(tmp_path / "report"),
    ]


def figures(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "report" / "retraining.json").read_text())
    return found


MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Feedback]], None]:
    """Put opinions into the database that the command reads."""
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    monkeypatch.setenv("COUNTERPOINT_DATABASE_URL", url)

    def keep(opinions: list[Feedback]) -> None:
        store = Store(url)
        store.feedback.keep(opinions)
        store.close()

    return keep


def test_feedback_comes_from_the_database(
    command: list[str], keep: Callable[[list[Feedback]], None], tmp_path: Path
) -> None:
    given = [
        Feedback(
            f"moderator:{i % 3}",
            text,
            {"TOXICITY": toxic, "INSULT": toxic},
            role="moderator",
            community_id="north",
            received=MOMENT + timedelta(minutes=i),
        )
        for i, (text, toxic) in enumerate(said(150))
    ]
    keep(given)
    found = CliRunner().invoke(app, command)
    assert found.exit_code in (0, 3), found.output
    feedback = figures(tmp_path)["feedback"]
    assert feedback["opinions"] == 150
    assert {one["source"] for one in feedback["sources"]} == {"moderator:0", "moderator:1", "moderator:2"}
    assert all(one["moderator"] for one in feedback["sources"])
    assert all(one["uid"] for one in feedback["outliers"])


def test_what_one_key_sent_is_left_out_and_what_it_replaced_counts_again(
    command: list[str], keep: Callable[[list[Feedback]], None], tmp_path: Path
) -> None:
    for key_id, hours in (("own", 0), ("sly", 100)):
        keep(
            [
                Feedback(
                    f"moderator:{i % 3}",
                    text,
                    {"TOXICITY": toxic if key_id == "own" else 1 - toxic},
                    role="moderator",
                    client_token=f"c{i}",
                    key_id=key_id,
                    received=MOMENT + timedelta(hours=hours, minutes=i),
                )
                for i, (text, toxic) in enumerate(said(150))
            ]
        )
    run = CliRunner()
    assert run.invoke(app, command).exit_code in (0, 3)
    feedback = figures(tmp_path)["feedback"]
    assert {one["key"]: one["opinions"] for one in feedback["keys"]} == {"own": 150, "sly": 150}
    assert run.invoke(app, [*command, "--without-key-id", "sly"]).exit_code in (0, 3)
    feedback = figures(tmp_path)["feedback"]
    assert (feedback["opinions"], feedback["counting"], feedback["without_keys"]) == (150, 150, ["sly"])
    assert {one["key"] for one in feedback["sources"]} == {"own"}
    assert "by order: what came with sly." in (tmp_path / "report" / "retraining.md").read_text()
    mistyped = run.invoke(app, [*command, "--without-key-id", "sIy"])
    assert "no opinion came with the key sIy" in str(mistyped.exception)


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a cluster of two workers on loopback."""
    distributed = pytest.importorskip("distributed")
    options = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
        "host": "127.0.0.1",
    }
    with distributed.LocalCluster(processes=False, protocol="tcp://", **options) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_gives_what_threads_give(command: list[str], scheduler: str, tmp_path: Path) -> None:
    feedback = tmp_path / "feedback.jsonl"
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    write_feedback(
        feedback,
        [
            Opinion(text, f"m{i % 3}", moment + timedelta(minutes=i), {"TOXICITY": toxic}, role="moderator")
            for i, (text, toxic) in enumerate(said(120))
        ],
    )
    run = CliRunner()
    alone = run.invoke(app, [*command, "--feedback", str(feedback)])
    verdicts = figures(tmp_path)["verdicts"]
    together = run.invoke(app, [*command, "--feedback", str(feedback), "--scheduler", scheduler])
    assert together.exit_code == alone.exit_code, together.output
    assert figures(tmp_path)["verdicts"] == verdicts


def test_a_scheduler_that_does_not_answer_is_named(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("training.retraining.workers.WAIT_S", 1)
    write_feedback(tmp_path / "f.jsonl", [])
    found = CliRunner().invoke(
        app, [*command, "--feedback", str(tmp_path / "f.jsonl"), "--scheduler", "tcp://127.0.0.1:9"]
    )
    assert "tcp://127.0.0.1:9 does not answer" in str(found.exception)
