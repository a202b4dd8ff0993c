"""A file server with faults."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from data.catalog import CatalogFile, Dataset
from tests.support.background import in_background


@dataclass
class FileServer:
    """Serves `files` by path, with Range and ETag; `faults` are taken one a request, in their order.

    Faults: "half" (half of what is promised, then the end), "unannounced half" (the same without a
    promised length), "wrong" (other bytes of the same length), or a status such as "503".
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    folder: Path | None = None
    faults: list[str] = field(default_factory=list)
    resumes: bool = True
    requests: list[dict[str, str]] = field(default_factory=list)

    def content(self, path: str) -> bytes | None:
        """Return a file, from memory or from the folder."""
        if path in self.files:
            return self.files[path]
        place = self.folder / path if self.folder else None
        return place.read_bytes() if place and place.is_file() else None


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: FileServer = self.server.told  # type: ignore[attr-defined]
        server.requests.append(dict(self.headers))
        fault = server.faults.pop(0) if server.faults else ""
        content = server.content(unquote(self.path).lstrip("/"))
        if content is None or fault.isdigit():
            self.send_error(int(fault or 404))
            return
        tag = f'"{sha256(content).hexdigest()[:16]}"'
        start = self._start(server, tag)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        body = content[start:]
        if fault != "unannounced half":
            self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", tag)
        self.end_headers()
        if fault.endswith("half"):
            body = body[: len(body) // 2]
        self.wfile.write(bytes(len(body)) if fault == "wrong" else body)

    def _start(self, server: FileServer, tag: str) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", tag) == tag
        return int(wanted[1]) if wanted and same and server.resumes else 0

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    """A server on loopback."""
    told = FileServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.told = told  # type: ignore[attr-defined]
    told.address = f"http://127.0.0.1:{server.server_address[1]}"
    with in_background(server):
        yield told


@pytest.fixture
def content() -> bytes:
    """A file of 3 MB whose every part differs from the others."""
    return b"".join(sha256(str(number).encode()).digest() for number in range(100_000))


@pytest.fixture
def made_set(content: bytes, file_server: FileServer) -> Dataset:
    """A dataset of one file, which the server has."""
    file = CatalogFile("made.csv", len(content), sha256(content).hexdigest())
    file_server.files["stance/made/made.csv"] = content
    return Dataset("stance/made", "Made", ("en",), "CC0-1.0", ("nobody",), (file,), 1)
