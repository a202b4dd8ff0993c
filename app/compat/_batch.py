"""Google's batches: a multipart/mixed body, each part an HTTP request; and the answer, likewise."""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from itertools import islice
from urllib.parse import parse_qsl, unquote, urlsplit

from app.compat._perspective_errors import invalid_request
from app.compat._reply import Reply

__all__ = ["MOST_PARTS", "Call", "read_batch_body", "write_batch_body"]

MOST_PARTS = 100

_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_LINE = re.compile(rb"\r?\n")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a batch."""

    content_id: bytes | None
    method: str
    path: str
    """Percent-decoded."""
    query: dict[str, str]
    body: bytes


def read_batch_body(content_type: str | None, body: bytes) -> list[Call]:
    """Read the parts of a batch, with LF or CRLF between lines.

    Args:
        content_type: of the whole, for its boundary.
        body: of the whole.

    Returns:
        Its calls, those that are no HTTP request with an empty path.

    Raises:
        GoogleError: it is no batch, or has no part, or more than 100.
    """
    boundary = _boundary(content_type)
    if not boundary:
        raise invalid_request("Failed to parse batch request, error: no multipart/mixed with a boundary.")
    parts = list(islice(_split(body, boundary), MOST_PARTS + 1))
    if not parts:
        raise invalid_request("Failed to parse batch request, error: 0 items.")
    if len(parts) > MOST_PARTS:
        raise invalid_request(f"Too many calls in a batch: at most {MOST_PARTS} are allowed.")
    return [_call(part) for part in parts]


def write_batch_body(calls: Sequence[Call], replies: Sequence[Reply]) -> Reply:
    """Return the answer to a batch, a part for each reply, `response-` before its call's id."""
    boundary = f"batch_{secrets.token_urlsafe(24)}"
    lines: list[bytes] = []
    for call, reply in zip(calls, replies, strict=True):
        lines += [f"--{boundary}".encode(), b"Content-Type: application/http"]
        if call.content_id is not None:
            lines.append(b"Content-ID: " + _response_id(call.content_id))
        headers = reply.headers | {"Content-Length": str(len(reply.content))}
        lines += [
            b"",
            f"HTTP/1.1 {reply.code} {HTTPStatus(reply.code).phrase}".encode(),
            *(f"{name}: {value}".encode() for name, value in headers.items()),
            b"",
            reply.content,
        ]
    lines += [f"--{boundary}--".encode(), b""]
    return Reply(200, b"\r\n".join(lines), {"Content-Type": f"multipart/mixed; boundary={boundary}"})


def _split(body: bytes, boundary: bytes) -> Iterator[bytes]:
    # The line end before a delimiter belongs to it. What stands before the first one or after the closing
    # one is not read; where the closing one is missing, the last part reaches to the end.
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    start: int | None = None
    for mark in delimiter.finditer(body):
        if start is not None:
            yield body[start : mark.start()]
        if mark[1]:
            return
        start = mark.end()
    if start is not None:
        yield body[start:]


def _call(part: bytes) -> Call:
    head, request = _halves(part)
    content_id = _headers(head).get(b"content-id")
    request_head, body = _halves(request.lstrip(b"\r\n"))
    words = _LINE.split(request_head, maxsplit=1)[0].decode("latin-1").split()
    method, target = (words[0], words[1]) if len(words) in {2, 3} else ("", "")
    try:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
    except ValueError:  # a malformed host
        return Call(content_id, method, "", {}, body)
    return Call(content_id, method, unquote(url.path), query, body)


def _halves(message: bytes) -> tuple[bytes, bytes]:
    blank = _BLANK_LINE.search(message)
    return (message, b"") if blank is None else (message[: blank.start()], message[blank.end() :])


def _boundary(content_type: str | None) -> bytes | None:
    message = Message()
    message["Content-Type"] = content_type or ""
    try:
        boundary = message.get_boundary()
    except ValueError:  # a parameter's number of more digits than Python reads
        return None
    if message.get_content_type() != "multipart/mixed" or not boundary:
        return None
    return boundary.encode("latin-1", "replace")


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = _LINE.split(_FOLD.sub(b" ", head))
    pairs = (line.replace(b"\r", b" ").partition(b":") for line in lines if b":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _response_id(content_id: bytes) -> bytes:
    return b"<response-" + content_id[1:] if content_id.startswith(b"<") else b"response-" + content_id
