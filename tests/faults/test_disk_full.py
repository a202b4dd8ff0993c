"""The disk fills up, on a small file system made for the test, and has room again."""

import errno
import itertools
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

LONG = "A comment of some length. " * 400


def fill(disk: Path) -> Path:
    """Leave no byte; gives the file that takes them."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                file.writelines(itertools.repeat(bytes(size)))
    return ballast


def test_the_service_scores_on(
    started: Callable[..., Any], small_disk: Path, until: Callable[..., Any]
) -> None:
    where = {
        "COUNTERPOINT_DATABASE_URL": f"sqlite:///{small_disk / 'store.sqlite3'}",
        "COUNTERPOINT_OBSERVATIONS": str(small_disk / "observations"),
    }
    opinion = {"comment": {"text": LONG}, "labels": {"INSULT": 0}}
    asked = {"comment": {"text": LONG}, "store": "text"}
    with (
        started(**where) as served,
        httpx.Client(base_url=served.url, timeout=60, trust_env=False) as http,
    ):
        assert http.post("/v1/feedback", json=opinion).status_code == 201
        ballast = fill(small_disk)
        until(lambda: http.post("/v1/feedback", json=opinion).status_code == 503)
        refused = http.post("/v1/feedback", json=opinion)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        scored = http.post("/v1/score", json=asked)
        assert (scored.status_code, scored.json()["stored"]) == (200, "no")
        ready = http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "the last write failed" in ready.json()["checks"]["database"]
        ballast.unlink()
        until(lambda: http.post("/v1/feedback", json=opinion).status_code == 201)
        assert http.get("/readyz").json()["status"] == "ok"
        until(lambda: http.post("/v1/score", json=asked).json()["stored"] == "text")
    with sqlite3.connect(small_disk / "store.sqlite3") as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_export_leaves_no_half_file(run: Callable[..., Any], small_disk: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(
            json.dumps(
                {
                    "text": f"{n} {LONG}",
                    "scores": {"INSULT": 0},
                    "source": "api",
                    "received": "2026-11-02T09:30:00+00:00",
                }
            )
            + "\n"
            for n in range(99)
        )
    )
    assert run("store", "import", str(rows)).returncode == 0
    ballast = fill(small_disk)
    refused = run("store", "export", str(small_disk / "all.jsonl"))
    assert refused.returncode == 1
    assert os.strerror(errno.ENOSPC) in refused.stderr
    assert [path.name for path in small_disk.iterdir()] == [ballast.name]
    ballast.unlink()
    assert run("store", "export", str(small_disk / "all.jsonl")).returncode == 0


def test_a_rescoring_goes_on_where_the_disk_was_full(
    run: Callable[..., Any], small_disk: Path, folder: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "in.jsonl"
    archive.write_text(
        "".join(json.dumps({"id": n, "text": f"Comment {n}. {LONG}"}) + "\n" for n in range(200))
    )
    asked = ["rescore", str(archive), "--bundle", str(folder / "2026.2.0"), "--workers", "1"]
    asked += ["--run-id", "one", "--output"]
    output = small_disk / "out.jsonl"
    ballast = fill(small_disk)
    refused = run(*asked, str(output))
    assert refused.returncode == 1
    assert os.strerror(errno.ENOSPC) in refused.stderr
    assert not output.exists()
    ballast.unlink()
    assert run(*asked, str(output)).returncode == 0
    assert run(*asked, str(tmp_path / "out.jsonl")).returncode == 0
    assert output.read_bytes() == (tmp_path / "out.jsonl").read_bytes()
