"""A text that is edited and remembers where each of its characters comes from."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.lookalikes import SPELLED_OUT
from models.text import align, beyond_ascii, fold_characters, normalise

__all__ = ["Edit", "Line", "fold", "fold_line", "fold_roughly"]

_BLANKS = {0x115F: "", 0x1160: "", 0x3164: " ", 0xFFA0: " ", 0x2800: " "}
_BEFORE_FOLDING = _BLANKS | SPELLED_OUT
_UNUSUAL = frozenset(map(chr, _BEFORE_FOLDING))
_MAY_BE_MARKS = (*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0))
_MARKS = frozenset(char for char in map(chr, _MAY_BE_MARKS) if unicodedata.category(char) in ("Mn", "Me"))
_MARKED = re.compile(f"(?<=[a-z])[{''.join(sorted(_MARKS))}]+")


class Edit(NamedTuple):
    """Replace begin..end by `text`, whose characters come from the places `sources`."""

    begin: int
    end: int
    text: str
    sources: tuple[int, ...]


class Line(NamedTuple):
    """A text and, where asked for, the origin of each of its characters."""

    text: str
    origins: NDArray[np.int64] | None

    def edited(self, edits: Sequence[Edit]) -> "Line":
        """Return the line after these edits, which are in order and do not overlap."""
        if not edits:
            return self
        pieces: list[str] = []
        places: list[int] = []
        last = 0
        for begin, end, text, sources in edits:
            pieces += (self.text[last:begin], text)
            if self.origins is not None:
                places += (*range(last, begin), *sources)
            last = end
        pieces.append(self.text[last:])
        if self.origins is None:
            return Line("".join(pieces), None)
        places += range(last, len(self.text) + 1)
        return Line("".join(pieces), self.origins[np.array(places)])


def fold(text: str) -> str:
    """`normalise`, and what it leaves: blanks that are letters to Unicode, marks on Latin letters."""
    if text.isascii():
        return normalise(text)
    if not _UNUSUAL.isdisjoint(text):
        text = text.translate(_BEFORE_FOLDING)
    text = normalise(text)
    if text.isascii() or _MARKS.isdisjoint(text):
        return text
    return normalise(_MARKED.sub("", text))


def fold_roughly(text: str) -> str:
    """As `fold`, but letters that are stretched may stay so: much faster where most is ASCII."""
    if text.isascii():
        return fold_characters(text)
    if not _UNUSUAL.isdisjoint(beyond_ascii(text)):
        return fold(text)
    folded = fold_characters(text)
    return folded if folded.isascii() or _MARKS.isdisjoint(beyond_ascii(folded)) else fold(text)


def fold_line(line: Line) -> Line:
    """As `fold`, keeping the origins."""
    if line.origins is None:
        return Line(fold(line.text), None)
    line = line.edited(
        [
            Edit(place, place + 1, new, (place,) * len(new))
            for place, char in enumerate(line.text)
            if (new := _BEFORE_FOLDING.get(ord(char))) is not None
        ]
    )
    line = _aligned(line)
    line = line.edited([Edit(m.start(), m.end(), "", ()) for m in _MARKED.finditer(line.text)])
    return _aligned(line)


def _aligned(line: Line) -> Line:
    found = align(line.text)
    assert line.origins is not None
    return Line(found.text, line.origins[found.origins])
