"""Recognise a thread by its content, whatever the file is called."""

import re
from pathlib import Path
from typing import IO

from app.threads.document import read_json
from app.threads.errors import ThreadFormatError
from app.threads.page import read_page
from app.threads.plain import comments_heading_in, read_plain
from app.threads.source import as_text
from app.threads.thread import Thread

__all__ = ["parse_thread", "read_thread"]

_JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*[\[\]{"\d])')
_HTML = re.compile(r"\s*<(?:!--|!doctype|\?xml|[a-z][a-z0-9]*[\s>])", re.IGNORECASE)
_HTML_INSIDE = re.compile(r"<(?:html|body|ol|article)[\s>]", re.IGNORECASE)


def read_thread(source: Path | IO[bytes] | IO[str]) -> Thread:
    """Read the thread in a file, or in what is left of a stream.

    Raises:
        ThreadError: the subclass tells what is wrong: unreadable, too large (10 MiB, 20,000 comments),
            unknown encoding or format, broken JSON, no comments.
    """
    return _parsed(as_text(source))


def parse_thread(content: bytes | str) -> Thread:
    """Read the thread in `content`; raises as `read_thread` does."""
    return _parsed(as_text(content))


def _parsed(text: str) -> Thread:
    if not text.strip():
        raise ThreadFormatError("nothing recognised: the thread is empty")
    if _JSON.match(text) and not (text.lstrip()[0] == "[" and comments_heading_in(text)):
        return read_json(text)
    if _HTML.match(text) or (_HTML_INSIDE.search(text) and not comments_heading_in(text)):
        return read_page(text)
    return read_plain(text)
