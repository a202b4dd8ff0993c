"""Services with limits, and sockets that do what no client library would."""

import json
import socket
from collections.abc import Callable, Iterator

import pytest

PATIENCE_S = 60


class Line:
    """A bare connection to a service."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one answer: its status, its headers, its body."""
        with self._socket.makefile("rb") as lines:
            status = int(lines.readline().split()[1])
            headers = {}
            while line := lines.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            if headers.get("transfer-encoding") == "chunked":
                pieces = []
                while size := int(lines.readline(), 16):
                    pieces.append(lines.read(size + 2)[:-2])
                return status, headers, b"".join(pieces)
            return status, headers, lines.read(int(headers["content-length"]))

    def receive_until(self, end: bytes) -> bytes:
        """Read on until `end` has come; gives what was read."""
        read = b""
        while end not in read:
            piece = self._socket.recv(65_536)
            assert piece, f"closed after {read!r}"
            read += piece
        return read

    def is_closed(self) -> bool:
        """Tell whether the service ends the connection, waiting for it."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def line() -> Iterator[Callable[[str], Line]]:
    """Open a bare connection; closed at the end."""
    opened: list[Line] = []

    def connect(url: str) -> Line:
        opened.append(Line(url))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def score_request() -> Callable[..., bytes]:
    """The bytes of a request that scores a comment."""

    def request(path: str = "/v1/score", body: object = None, headers: str = "") -> bytes:
        content = json.dumps(body or {"comment": {"text": "Well said."}}).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content

    return request
