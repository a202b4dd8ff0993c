"""A connection to the service that costs little: a client library would take up the measured cores."""

import asyncio
import json
from urllib.parse import urlsplit

__all__ = ["Connection", "post"]


class Connection:
    """A connection that is kept open, and opened again where the server has closed it while it was idle."""

    def __init__(self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._url, self._reader, self._writer = url, reader, writer

    @classmethod
    async def open(cls, url: str) -> "Connection":
        """Connect to the server of `url`.

        Raises:
            OSError: nothing listens there.
        """
        address = urlsplit(url)
        return cls(url, *await asyncio.open_connection(address.hostname, address.port))

    async def ask(self, request: bytes) -> tuple[int, bool]:
        """Send a request; returns the answer's status, and whether it has Retry-After.

        Raises:
            OSError: the connection broke.
            IncompleteReadError: it was closed before the answer was whole.
        """
        if self._reader.at_eof():
            self._writer.close()
            again = await self.open(self._url)
            self._reader, self._writer = again._reader, again._writer
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
        await self._reader.readexactly(int(length))
        return int(head[9:12]), b"retry-after:" in head

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def post(url: str, body: object) -> bytes:
    """Return the bytes of a request with `body` as JSON."""
    address, content = urlsplit(url), json.dumps(body).encode()
    head = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(content) + content
