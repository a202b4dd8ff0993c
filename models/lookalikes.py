"""Which characters pass for which Latin letters, from `lookalikes.toml`."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from models.text import normalise

__all__ = ["CLOSE", "LEET", "LEET_CLASS", "LOOKALIKE", "LOOSE", "MASKED", "RUN", "SPELLED_OUT", "script"]

_TABLES = tomllib.loads(Path(__file__).with_name("lookalikes.toml").read_text(encoding="utf-8"))
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_ALPHABET_BLOCKS = (0x1F150, 0x1F170, 0x1F1E6)  # negative circled, negative squared, regional indicators
_PARENTHESISED = (0x249C, 0x1F110)


def _blocks() -> Iterator[tuple[str, str]]:
    for first in _ALPHABET_BLOCKS:
        yield from ((chr(first + place), letter) for place, letter in enumerate(_ALPHABET))


def _letters(table: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for letter, characters in table.items():
        for char in map(normalise, characters):
            if len(char) == 1 and not char.isascii() and letter not in found.get(char, ""):
                found[char] = found.get(char, "") + letter
    return found


def _leet_classes(table: dict[str, str]) -> dict[str, str]:
    """Every letter, digit and sign → one letter of its class: what may stand for each other."""
    classes = {letter: letter for letter in _ALPHABET}
    for letters in table.values():
        merged = {classes[letter] for letter in letters}
        classes = {letter: min(merged) if own in merged else own for letter, own in classes.items()}
    return classes | {sign: classes[letters[0]] for sign, letters in table.items()}


CLOSE: dict[str, str] = _letters(_TABLES["close"]) | dict(_blocks())
"""Look-alike → the Latin letters it passes for, likeliest first."""

LOOSE: dict[str, str] = {c: found for c, found in _letters(_TABLES["loose"]).items() if c not in CLOSE}
"""As `CLOSE`, for characters that only pass in a word the reader knows."""

LEET: dict[str, str] = _TABLES["leet"]
"""Digit or sign → the letters it is written for, likeliest first."""

LEET_CLASS = str.maketrans(_leet_classes(LEET))
"""For `str.translate`: words that leetspeak may confuse become the same."""

MASKED: frozenset[str] = frozenset(_TABLES["masked"]["words"].split())
"""Words that people mask or pull apart."""

SPELLED_OUT = {
    ord(chr(first + place)): letter for first in _PARENTHESISED for place, letter in enumerate(_ALPHABET)
}
"""Parenthesised letters, which NFKC would write as three characters."""

_CLASS = "".join(map(re.escape, sorted(CLOSE.keys() | LOOSE.keys())))
LOOKALIKE = re.compile(f"[{_CLASS}]")
RUN = re.compile(rf"(?:[^\W\d_]|[{_CLASS}])+")
"""A word, look-alikes that are no letters included."""


def script(char: str) -> str:
    """Return the first word of a letter's Unicode name, such as "CYRILLIC"."""
    return unicodedata.name(char, "").split(" ")[0]
