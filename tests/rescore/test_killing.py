"""Killed with SIGKILL at random moments, on every engine: no row is lost or doubled, no part done twice.

RESCORE_KILLS sets how many kills there are in all, RESCORE_SEED which moments.
"""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

KILLS = int(os.environ.get("RESCORE_KILLS", "12"))
SEED = int(os.environ.get("RESCORE_SEED", "20261124"))
ROWS = 1_500
PART_BYTES = 4_000
ENGINES = ("in process", "workers", "service", "cluster")


class Forks:
    """Starts `counterpoint` quickly, and tells when it ends."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def run(self, arguments: list[str], seconds: float | None) -> int:
        """Run; after some seconds, if it still runs, kill it. Return its exit status."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"arguments": arguments, "log": str(self._log)}).encode() + b"\n")
        stdin.flush()
        pid = int(_line(stdout))
        ended, _, _ = select.select([stdout], [], [], seconds)
        if not ended:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(pid, signal.SIGKILL)
        return int(_line(stdout))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def _line(stdout: IO[bytes]) -> bytes:
    # Byte by byte: what a buffer held already, `select` would not see.
    found = b""
    while not found.endswith(b"\n"):
        found += os.read(stdout.fileno(), 1)
    return found


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    started = Forks(tmp_path_factory.mktemp("forks"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def engine_options(request: pytest.FixtureRequest, bundle_path: Path) -> dict[str, list[str]]:
    bundle = ["--bundle", str(bundle_path)]
    return {
        "in process": ["--workers", "1", *bundle],
        "workers": ["--workers", "2", *bundle],
        "service": ["--url", request.getfixturevalue("service_url"), "--concurrency", "2"],
        "cluster": ["--scheduler", request.getfixturevalue("cluster").address, *bundle],
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_killed_at_random_moments(
    engine: str, bench: Any, make: Any, write: Any, forks: Forks, engine_options: Any, request: Any
) -> None:
    chance = random.Random(f"{SEED} {engine}")
    rows = make(ROWS)
    rows[70]["id"], rows[1_400]["text"] = "c3", ""
    archive = write(bench.folder / "in.jsonl", rows)
    options = ["--part-bytes", str(PART_BYTES), *engine_options[engine]]

    def rescore(output: str, seconds: float | None) -> int:
        command = ["rescore", str(archive), "--output", str(bench.folder / output), *options]
        return forks.run(command, seconds)

    assert rescore("warm.jsonl", None) == 0  # what a cluster has yet to load must not count below
    began = time.monotonic()
    assert rescore("whole.jsonl", None) == 0
    longest = time.monotonic() - began
    expected = (bench.folder / "whole.jsonl").read_bytes()
    kills = tries = 0
    wanted = KILLS // len(ENGINES) + (ENGINES.index(engine) < KILLS % len(ENGINES))
    finished = False  # a kill may come when the output is there, and what is left behind is not yet away
    while kills < wanted or not finished:
        output = f"{tries}.jsonl"
        before = receipts(bench.folder / f"{output}.run")
        limit = chance.uniform(0, longest) if kills < wanted else None
        if engine == "cluster" and kills % 3 == 2:
            os.kill(chance.choice(request.getfixturevalue("cluster").worker_pids()), signal.SIGKILL)
        status = rescore(output, limit)
        finished = status == 0
        if status == -signal.SIGKILL:
            kills += 1
            after = receipts(bench.folder / f"{output}.run")
            assert before.items() <= after.items() or not after, "a finished part was done again"
            if (bench.folder / output).exists():
                assert (bench.folder / output).read_bytes() == expected
            continue
        assert status == 0
        assert (bench.folder / output).read_bytes() == expected
        if kills < wanted:
            tries += 1
    for place in range(tries + 1):
        assert_whole(bench, f"{place}.jsonl")
    assert kills == wanted


def receipts(folder: Path) -> dict[str, tuple[int, int]]:
    """What is finished: inode and time of each receipt, which would be others if it were done again."""
    stats = {path.name: path.stat() for path in sorted((folder / "parts").glob("*.json"))}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def assert_whole(bench: Any, output: str) -> None:
    wanted = [f"c{number}" for number in range(ROWS) if number not in {70, 1_400}]
    assert [row["id"] for row in bench.rows(output)] == wanted
    assert [row["line"] for row in bench.rejects(output)] == [71, 1_401]
    assert not (bench.folder / f"{output}.run").exists()
