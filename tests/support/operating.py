"""Fixtures of operators: the service in processes, started and changed by the command line."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from app.cli import app

PATIENCE_S = 90


class Served:
    """A `counterpoint serve` in a process of its own, and what it logs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.url = ""
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.strip())
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait(self, seen: Callable[[list[str]], Any]) -> Any:
        """Wait until what was logged satisfies `seen`; returns what it returned."""
        with self._changed:
            met = self._changed.wait_for(
                lambda: seen(self.lines) or self.process.poll() is not None, PATIENCE_S
            )
            found = seen(self.lines)
            assert met, "\n".join(self.lines[-20:])
            assert found, "\n".join(self.lines[-20:])
            return found

    def listens(self) -> None:
        """Wait until a connection is taken: workers are announced before they listen."""
        address = httpx.URL(self.url)
        until = time.monotonic() + PATIENCE_S
        with socket.socket() as tried:
            while tried.connect_ex((address.host, address.port or 80)) != 0:
                assert self.process.poll() is None, "\n".join(self.lines[-20:])
                assert time.monotonic() < until, "nobody listens"
                threading.Event().wait(0.05)

    def workers_with(self, version: str) -> set[int]:
        """Return the processes that last said that they use `version`."""
        using: dict[int, str] = {}
        for line in list(self.lines):
            if line.startswith("{") and " is in use" in line:
                record = json.loads(line)
                using[record["pid"]] = record["message"]
        return {pid for pid, message in using.items() if message == f"model {version} is in use"}


@pytest.fixture
def folder(tmp_path: Path, releases: Path) -> Path:
    """A folder with the two tiny bundles, to be changed."""
    return Path(shutil.copytree(releases, tmp_path / "releases"))


@pytest.fixture
def environment(tmp_path: Path, folder: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERPOINT_")}
    return clean | {
        "COUNTERPOINT_RELEASES": str(folder),
        "COUNTERPOINT_OBSERVATIONS": str(tmp_path / "observations"),
        "COUNTERPOINT_DATABASE_URL": f"sqlite:///{tmp_path / 'counterpoint.sqlite3'}",
        "COUNTERPOINT_RELEASE_CHECK_S": "0.1",
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a `counterpoint` command."""

    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app.cli", *arguments]
        return subprocess.run(
            command,
            env=environment | changed,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    return run


@pytest.fixture
def invoke(environment: dict[str, str]) -> Callable[..., Result]:
    """Call a `counterpoint` command in this process; its error is raised."""
    names = {name: value for name, value in environment.items() if name.startswith("COUNTERPOINT_")}

    def invoke(*arguments: str, **changed: str) -> Result:
        return CliRunner().invoke(app, arguments, env=names | changed, catch_exceptions=False)

    return invoke


@pytest.fixture
def started(environment: dict[str, str]) -> Callable[..., Any]:
    """Start `counterpoint serve` with more arguments, for as long as the context lasts."""

    @contextmanager
    def start(*arguments: str, **changed: str) -> Iterator[Served]:
        command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", *arguments]
        with subprocess.Popen(
            command, env=environment | changed, stderr=subprocess.PIPE, text=True
        ) as process:
            served = Served(process)
            try:
                [line] = served.wait(lambda lines: [one for one in lines if "answers on http" in one][:1])
                served.url = next(word for word in line.split() if word.startswith("http"))
                served.listens()
                yield served
            finally:
                process.terminate()
                process.wait(PATIENCE_S)

    return start
