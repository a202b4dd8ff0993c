"""Disguise words as people do who want a filter to miss them, to measure what a model makes of it.

These tables are written apart from those by which `models.evasion` undoes disguises.
"""

import random
import re
from collections.abc import Callable, Mapping

__all__ = ["EVASIONS", "disguise"]

_LEET = {"a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!", "l": "1", "o": "0", "s": "5$", "t": "7"}
_LOOK_ALIKES = {
    "a": "аɑ", "c": "сϲ", "d": "ԁ", "e": "еε", "h": "һ", "i": "іı", "j": "ј", "k": "к", "n": "ո",
    "o": "оοօ", "p": "рρ", "q": "ԛ", "s": "ѕ", "t": "т", "u": "υս", "v": "ν", "w": "ԝ", "x": "х", "y": "у",
}  # fmt: skip
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\u00ad\ufeff"
_COMBINING = "\u0301\u0308\u0323\u0335\u0336\u0338\u20e0"
_SEPARATORS = (" ", ".", "-", "_", "*")
_PUNCTUATION = ".-*_'/~"
_WORD = re.compile(r"[A-Za-z]{3,}")


def _swapped(word: str, table: Mapping[str, str], rng: random.Random) -> str:
    """Swap at least one letter, half of them on average."""
    places = [place for place, char in enumerate(word) if char.lower() in table]
    if not places:
        return word
    chosen = {rng.choice(places), *(place for place in places if rng.random() < 0.5)}
    return "".join(rng.choice(table[c.lower()]) if i in chosen else c for i, c in enumerate(word))


def _leetspeak(word: str, rng: random.Random) -> str:
    return _swapped(word, _LEET, rng)


def _look_alikes(word: str, rng: random.Random) -> str:
    return _swapped(word, _LOOK_ALIKES, rng)


def _between(word: str, marks: str, rng: random.Random) -> str:
    """Insert one mark at one place or two."""
    for place in sorted({rng.randrange(1, len(word)) for _ in range(2)}, reverse=True):
        word = word[:place] + rng.choice(marks) + word[place:]
    return word


def _zero_width(word: str, rng: random.Random) -> str:
    return _between(word, _ZERO_WIDTH, rng)


def _combining_marks(word: str, rng: random.Random) -> str:
    return "".join(char + rng.choice(_COMBINING) for char in word)


def _separated_letters(word: str, rng: random.Random) -> str:
    return rng.choice(_SEPARATORS).join(word)


def _inserted_punctuation(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    return word[:place] + rng.choice(_PUNCTUATION) + word[place:]


def _stretched_letters(word: str, rng: random.Random) -> str:
    place = rng.randrange(len(word))
    return word[:place] + word[place] * rng.randint(3, 6) + word[place + 1 :]


def _doubled_letters(word: str, rng: random.Random) -> str:
    places = {rng.randrange(len(word)) for _ in range(2)}
    return "".join(char * 2 if place in places else char for place, char in enumerate(word))


def _case_noise(word: str, rng: random.Random) -> str:
    return "".join(char.upper() if rng.random() < 0.5 else char.lower() for char in word)


EVASIONS: dict[str, Callable[[str, random.Random], str]] = {
    "leetspeak": _leetspeak,
    "look_alikes": _look_alikes,
    "zero_width": _zero_width,
    "combining_marks": _combining_marks,
    "separated_letters": _separated_letters,
    "inserted_punctuation": _inserted_punctuation,
    "stretched_letters": _stretched_letters,
    "doubled_letters": _doubled_letters,
    "case_noise": _case_noise,
}
"""Name of an evasion → what it makes of one word of two letters or more."""


def disguise(text: str, kind: str, share: float, seed: int) -> str:
    """Disguise each word of three letters or more with probability `share`.

    Args:
        text: any text; words are runs of the letters A to Z.
        kind: one of `EVASIONS`.
        share: in [0, 1].
        seed: the same seed disguises the same words alike.

    Raises:
        ValueError: no such kind, or a share outside [0, 1].
    """
    if kind not in EVASIONS:
        raise ValueError(f"kind must be one of {', '.join(EVASIONS)}, got {kind!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie in [0, 1], got {share}")
    rng = random.Random(seed)
    return _WORD.sub(lambda m: EVASIONS[kind](m[0], rng) if rng.random() < share else m[0], text)
