"""Archives and outputs that lie elsewhere: in S3's protocol, on a web server, in fsspec's memory."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from app.rescore import (
    ArchiveError,
    OutputError,
    Rescoring,
    RunError,
    in_process,
    kind_of_output,
    rescore_elsewhere,
    staged_output,
)
from tests.support.background import in_background

COUNT = 150


class Interrupted(BaseException):
    """As Ctrl-C or a signal would."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """fsspec's file system of a server of S3's protocol, with an empty bucket `site`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("s3") / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "anyone",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        _wait_for(port, server)
        files = fsspec.filesystem("s3")
        files.mkdir("site")
        yield files
        files.clear_instance_cache()
        server.terminate()
        server.wait(60)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the server of S3's protocol did not start")


@pytest.fixture
def send(bench: Any, tmp_path: Path) -> Any:
    """Rescore to an address."""

    def run(given: str | Path, address: str, progress: Any = lambda *told: None, **more: Any) -> Any:
        path = staged_output(address, tmp_path / "staging")
        workers = more.pop("workers", 1)
        asked = Rescoring(
            order=bench.order(given),
            output=path,
            model=bench.model,
            engine_name="test",
            kind=kind_of_output(path),
            part_bytes=4_000,
            **more,
        )
        return rescore_elsewhere(asked, address, in_process(workers), progress)

    return run


def test_an_archive_in_s3_is_scored_into_s3(
    bench: Any, make: Any, write: Any, s3: Any, send: Any, tmp_path: Path
) -> None:
    rows = make(COUNT)
    rows[7]["text"] = ""
    folder = tmp_path / "archive"
    folder.mkdir()
    write(folder / "a.jsonl", rows[:100])
    write(folder / "b.jsonl", rows[100:])
    bench.run(folder, "here.jsonl", run_id="r")
    s3.put(str(folder), "site/archive", recursive=True)
    for place, given in enumerate(("s3://site/archive", "s3://site/archive/*.jsonl")):
        outcome = send(given, f"s3://site/{place}/scores.jsonl", workers=2, run_id="r")
        assert (outcome.rows, outcome.rejects) == (COUNT - 1, 1)
        found = s3.cat_file(f"site/{place}/scores.jsonl")
        assert found == (bench.folder / "here.jsonl").read_bytes()
    [reject] = s3.cat_file("site/0/scores.jsonl.rejects.jsonl").splitlines()
    assert json.loads(reject)["reason"] == "no text"
    manifest = json.loads(s3.cat_file("site/0/scores.jsonl.manifest.json"))
    assert manifest["counts"]["output"] == COUNT - 1
    assert not list((tmp_path / "staging").iterdir())


def test_what_was_interrupted_goes_on_and_what_is_there_is_not_done_again(
    bench: Any, make: Any, write: Any, s3: Any, send: Any
) -> None:
    archive = write(bench.folder / "in.jsonl", make(COUNT))
    address = "s3://site/again.parquet"

    def stop(wanted: str, count: int) -> Any:
        def progress(stage: str, done: int, total: int | None) -> None:
            if stage == wanted and done >= count:
                raise Interrupted

        return progress

    for stage, count in (("scoring", 60), ("sending the output", 0), ("sending the output", 2)):
        with pytest.raises(Interrupted):
            send(archive, address, stop(stage, count))
    outcome = send(archive, address)
    assert (outcome.rows, outcome.scored_now, outcome.was_complete) == (COUNT, 0, True)
    bench.run(archive, "here.parquet", part_bytes=4_000)
    assert s3.cat_file("site/again.parquet") == (bench.folder / "here.parquet").read_bytes()
    changed = s3.modified("site/again.parquet")
    assert send(archive, address).was_complete
    assert s3.modified("site/again.parquet") == changed
    with pytest.raises(RunError, match="not of this command"):
        send(archive, address, sample=10)
    assert send(archive, address, sample=10, force=True).rows == 10


def test_an_output_of_somebody_else_stays(bench: Any, make: Any, write: Any, send: Any) -> None:
    archive = write(bench.folder / "in.jsonl", make(5))
    fsspec.filesystem("memory").pipe_file("/mine.csv", b"precious")
    with pytest.raises(RunError, match="--force"):
        send(archive, "memory://mine.csv")
    assert fsspec.filesystem("memory").cat_file("/mine.csv") == b"precious"
    send(archive, "memory://new/folder/scores.csv")
    assert fsspec.filesystem("memory").cat_file("/new/folder/scores.csv").count(b"\n") == 6


def test_what_cannot_be_reached_is_told(bench: Any, make: Any, write: Any, s3: Any, send: Any) -> None:
    archive = write(bench.folder / "in.jsonl", make(5))
    with pytest.raises(ArchiveError, match=r"s3://site/none\.jsonl: there is no such file"):
        bench.run("s3://site/none.jsonl")
    with pytest.raises(OutputError, match=r"s3://nobodys/scores\.jsonl\S* cannot be written"):
        send(archive, "s3://nobodys/scores.jsonl")
    with pytest.raises(ArchiveError, match="cannot be reached: Protocol not known"):
        bench.run("carrier-pigeon://site/none.jsonl")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server that sends whole files only, as many do."""
    (tmp_path / "web").mkdir()
    handler = partial(_Quiet, directory=str(tmp_path / "web"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with in_background(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_an_archive_on_a_web_server(bench: Any, make: Any, write: Any, web: str, tmp_path: Path) -> None:
    rows = make(COUNT)
    write(tmp_path / "web" / "in.jsonl", rows)
    bench.run(tmp_path / "web" / "in.jsonl", "here.jsonl", run_id="r")
    bench.run(f"{web}/in.jsonl", run_id="r", part_bytes=4_000)
    assert bench.rows() == bench.rows("here.jsonl")
    with pytest.raises(ArchiveError, match="there is no such file"):
        bench.run(f"{web}/none.jsonl", "other.jsonl")


def test_the_command_says_where_the_scores_are(
    bench: Any, make: Any, write: Any, s3: Any, tmp_path: Path
) -> None:
    archive = write(bench.folder / "in.jsonl", make(20))
    command = [sys.executable, "-m", "app.cli", "rescore", str(archive), "--no-stance", "--workers", "1"]
    command += ["--bundle", str(bench.model.folder), "--output", "s3://site/told.csv"]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}
    )
    assert done.returncode == 0, done.stderr
    assert "scores in s3://site/told.csv, manifest in s3://site/told.csv.manifest.json" in done.stderr
    assert s3.cat_file("site/told.csv").count(b"\n") == 21
    again = subprocess.run(
        [*command, "--compare", "old.csv"],
        capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    assert again.returncode == 2
    assert "--compare needs an --output on this machine" in again.stderr
