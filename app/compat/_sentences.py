"""The sentences of a comment, as UTF-16 spans."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.reading import is_blank

__all__ = ["Sentence", "split_sentences", "utf16_length"]

# Each piece is matched once and always whole, so that no comment takes more than linear time.
_BREAK = re.compile(
    "(?P<mark>[.!?…؟।۔]+[\"'”’»)\\]]*)|(?P<wide>[。！？]+[」』”’）]*)|(?P<line>[\r\n\u2028\u2029]+)"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|e\.g|i\.e|z\.b|bzw)\.$", re.IGNORECASE
)
_LOOK_BACK = 8


class Sentence(NamedTuple):
    """A sentence without the white space around it, and its place in UTF-16 code units."""

    begin: int
    end: int
    text: str


def utf16_length(text: str) -> int:
    """Return how many UTF-16 code units `text` takes."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def split_sentences(text: str, most: int) -> list[Sentence]:
    """Return the sentences of `text`, in order.

    A sentence ends at a full stop, question or exclamation mark before white space, at its full-width
    form anywhere, and at the end of a line; not after a single letter or a common abbreviation. What
    shows nothing is no sentence.

    Args:
        text: a comment.
        most: where there are more sentences, neighbours are put together until there are not.
    """
    pieces = [piece for piece in _pieces(text) if not is_blank(text[slice(*piece)])]
    together = max(1, -(-len(pieces) // most))
    groups = (pieces[i : i + together] for i in range(0, len(pieces), together))
    sentences, read, offset = [], 0, 0
    for begin, end in ((group[0][0], group[-1][1]) for group in groups):
        utf16_begin = offset + utf16_length(text[read:begin])
        offset = utf16_begin + utf16_length(text[begin:end])
        read = end
        sentences.append(Sentence(utf16_begin, offset, text[begin:end]))
    return sentences


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in _BREAK.finditer(text):
        end = found.end()
        if found["mark"] and not (end == len(text) or text[end].isspace()):
            continue
        if found["mark"] == "." and _ABBREVIATION.search(text[max(start, end - _LOOK_BACK) : end]):
            continue
        yield _trimmed(text, start, end)
        start = end
    yield _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
