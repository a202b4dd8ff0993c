"""Text normalisation: one form of a comment for all features, with a way back to the original.

`normalise` lowers case, resolves Unicode compatibility forms (NFKC), strips Latin diacritics and
invisible characters, straightens quotes, and shortens stretched letters ("sooooo" → "soo"). Scripts
other than Latin keep their letters and marks. `align` gives the same text together with the place of
each of its characters in the original.
"""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Aligned", "align", "beyond_ascii", "fold_characters", "normalise"]

_ASCII_CONTROLS = bytes([*range(9), *range(14, 32), 127])
_TO_LOWER = bytes(range(256)).lower()
_ASCII = bytes(range(128))
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_FEW = 12
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_ASCII_SPACES = "\t\n\v\f\r"
_NEXT_LINE = "\x85"
_QUOTES = {"‘": "'", "’": "'", "ʼ": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"'}
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Aligned:
    """A normalised text and where each of its characters stands in the original.

    `origins` has shape (len(text) + 1,): character i of `text` comes from code point
    `origins[i]` of the original; the last entry is the original's length.
    """

    text: str
    origins: NDArray[np.int64]


class _FoldTable(dict[int, str]):
    """Code point → its normalised form, worked out when first met (for `str.translate`)."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold(chr(code))
        return folded


def _fold(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cs":  # a lone surrogate has no UTF-8 form
        return _REPLACEMENT
    if category == "Cc":
        return char if char in _ASCII_SPACES else " " if char == _NEXT_LINE else ""
    if char.isspace():
        return " "
    if char in _QUOTES:
        return _QUOTES[char]
    if category == "Cf" or "\u0300" <= char <= "\u036f" or "\ufe00" <= char <= "\ufe0f":
        return ""
    compatible = unicodedata.normalize("NFKC", char).casefold()
    decomposed = unicodedata.normalize("NFD", compatible)
    if decomposed[:1].isascii():
        return "".join(part for part in decomposed if not unicodedata.combining(part))
    return compatible


_FOLD = _FoldTable()


def normalise(text: str) -> str:
    """Return the normalised form of `text`.

    Args:
        text: any string; lone surrogates become U+FFFD.

    Returns:
        Lower-case text that can be encoded as UTF-8 and holds no control characters but white
        space. Normalising twice changes nothing.
    """
    return _STRETCHED.sub(r"\1\1", fold_characters(text))


def fold_characters(text: str) -> str:
    """As `normalise`, stretched letters staying as they are."""
    # Bytes of other characters are beyond ASCII, so that the table leaves them alone.
    raw = text.encode("utf-8", "surrogatepass").translate(_TO_LOWER, _ASCII_CONTROLS)
    plain = raw.decode("utf-8", "surrogatepass")
    if text.isascii():
        return plain
    others = set(beyond_ascii(text))
    folded = [(char, _FOLD[ord(char)]) for char in others]
    if len(others) > _FEW or not all(new.isascii() or new == char for char, new in folded):
        return _NOT_ASCII.sub(_folded_run, plain)
    for char, new in folded:
        plain = plain.replace(char, new)
    return plain


def beyond_ascii(text: str) -> str:
    """Return the characters of `text` that are not ASCII, in order."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def _folded_run(match: re.Match[str]) -> str:
    return match.group().translate(_FOLD)


def align(text: str) -> Aligned:
    """Return `normalise(text)` together with the origin of each of its characters."""
    pieces = [_FOLD[ord(char)] for char in text]
    folded = "".join(pieces)
    origins = np.repeat(np.arange(len(text)), [len(piece) for piece in pieces])
    keep = np.ones(len(folded), dtype=bool)
    for match in _STRETCHED.finditer(folded):
        keep[match.start() + 2 : match.end()] = False
    shortened = _STRETCHED.sub(r"\1\1", folded)
    return Aligned(shortened, np.append(origins[keep], len(text)))
