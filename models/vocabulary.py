"""The known words, and which of them a disguised word, or a run of letters, stands for."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from math import log

from models.lookalikes import LEET, LEET_CLASS, MASKED

__all__ = ["DOUBLED", "EDGES", "LONGEST", "LONGEST_WORD", "RARE_COUNT", "Found", "Vocabulary"]

LONGEST = 40  # longer pieces are left alone but for their parts: bounds the work
LONGEST_WORD = 24
EDGES = ".,;:?\"'()[]{}<>…*_~-–—/\\^=`&#%+”“’»«"
_NOT_LETTERS = "".join(char for char in map(chr, range(128)) if not char.isalpha()) + EDGES + "".join(LEET)
DOUBLED = re.compile(r"([a-z])\1")
_REPEATED = re.compile(r"(.)\1+")
_UNUSUAL_DOUBLE = re.compile(r"([hijquvwxy])\1")  # hardly in English words or names
_FOREIGN_LETTER = re.compile(r"[^\W\d_a-z]")
_POSSESSIVES = ("'s", "'ll", "'re", "'ve", "'d")
_CLITICS = frozenset(
    ["s", "t", "d", "m", "o", "l", "n", "y", "c", "qu", "ll", "re", "ve", "em", "all", "ing", "er", "ed"]
)
_NUMBERED = re.compile(r"[a-z]{3,}\d+")
_CODE = re.compile(r"\d+[a-z]{1,3}")
_WILD = frozenset("*#-_@!$%&^~+.?—–•●×·€£¢")
_ORDINARY_MARKS = frozenset("-/.,;:'&?!\"…—–")
_APOSTROPHE = {"'"}
_LETTERS = {*"abcdefghijklmnopqrstuvwxyz", *_APOSTROPHE}
_HYPHENS = frozenset("-–.")
_APOSTROPHES = frozenset("'`´′")
_BRACKETS = frozenset("()[]{}<>")
_FIRM_SIGNS = frozenset("@$€£¢¥§©®")
RARE_COUNT = 30  # a fragment of a split word ("stu", "pid") may occur as a name this often
_LEAST_UNDOUBLED = 60  # rarer words are mostly names, of which other spellings are right too
_COMMON = -8.5  # logarithm of a word's share: about the 3,000 commonest lie above
_FAMILIAR = -10.4  # about the 11,000 commonest
_EVERYDAY = -7.0  # about the 200 commonest
_UNKNOWN_LETTER = -9.0
_WORST_LETTER = -3.0  # mean logarithm a letter, from which a run of letters reads as words

Found = tuple[str, tuple[int, ...]]
"""A word and the place of each of its letters."""


class Vocabulary:
    """The words of the training texts, with their frequencies.

    Args:
        counts: word → in how many texts it occurs.
        pairs: two common words with a space between → in how many texts they follow each other.
    """

    def __init__(self, counts: dict[str, int], pairs: dict[str, int]) -> None:
        self.counts = counts
        self.sure = {w for w, count in counts.items() if len(w) > 4 or w in "ai" or count >= RARE_COUNT}
        total = sum(counts.values())
        self._pair_weight = {
            pair: log(count / counts[left])
            for pair, count in pairs.items()
            if (left := pair.split(" ")[0]) in counts
        }
        self.weight = {word: log(count / total) for word, count in counts.items()}
        self._alike: dict[str, list[str]] = {}
        for word in sorted(counts, key=lambda word: -counts[word]):
            if len(word) > 2 and "'" not in word:
                self._alike.setdefault(_skeleton(word), []).append(word)
        self._masked: dict[int, list[str]] = {}
        for word in sorted(MASKED & counts.keys(), key=lambda word: (-counts[word], word)):
            self._masked.setdefault(len(word), []).append(word)

    def spelled(self, letters: str, gaps: list[str]) -> list[str] | None:
        """The words that single letters spell, or None."""
        usual = Counter(gaps).most_common(1)[0][0]
        groups, start = [], 0
        for place, gap in enumerate(gaps, 1):
            if len(gap) > len(usual) or (" " in gap and " " not in usual):
                groups.append(letters[start:place])
                start = place
        groups.append(letters[start:])
        words: list[str] = []
        for group in groups:
            words += self._segmented(group)
        known = [word for word in words if word in self.counts]
        if not known or max(map(len, known)) < 3:
            return None
        if len(words) == 1 and (words[0] in MASKED or len(letters) < 5):
            return words if self._is_sound_spelled(words[0], set(gaps)) else None
        score = sum(self.weight.get(word, _UNKNOWN_LETTER) for word in words)
        return words if len(letters) > 4 and score >= _WORST_LETTER * len(letters) else None

    def _is_sound_spelled(self, word: str, gaps: set[str]) -> bool:
        """Whether one short word is spelled, and no acronym: "U.S.A.", "N A S A"."""
        if len(gaps) > 1 and len(word) < 4:
            return False
        if word in MASKED:
            return True
        has_points = any("." in gap for gap in gaps)
        if len(word) == 3:
            return not has_points and self.weight[word] > _COMMON
        return len(gaps) == 1 and self.weight[word] > (_COMMON if has_points else _FAMILIAR)

    def _segmented(self, letters: str) -> list[str]:
        """The likeliest words, by their frequencies alone; unknown letters stand alone.

        Digits are read as letters where a word asks for it.
        """
        readings = [letters]
        if not letters.isalpha():
            readings = ["".join(LEET.get(char, char)[0] for char in letters)]
            readings.append("".join(LEET.get(char, char)[-1] for char in letters))
        return max((self._best_split(reading) for reading in readings), key=lambda found: found[0])[1]

    def _best_split(self, letters: str) -> tuple[float, list[str]]:
        # Viterbi over (end of a word, that word); each entry: its score and the entry before it.
        ending: list[dict[str, tuple[float, str]]] = [{"": (0.0, "")}]
        for end in range(1, len(letters) + 1):
            found: dict[str, tuple[float, str]] = {}
            for begin in range(max(0, end - LONGEST_WORD), end):
                word = letters[begin:end]
                alone = self.weight.get(word, _UNKNOWN_LETTER if end - begin == 1 else None)
                if alone is not None:
                    found[word] = max(
                        (score + max(alone, self._pair_weight.get(f"{before} {word}", alone)), before)
                        for before, (score, _) in ending[begin].items()
                    )
            ending.append(found)
        score, word = max((score, word) for word, (score, _) in ending[-1].items())
        words: list[str] = []
        end = len(letters)
        while end:
            words.append(word)
            end, word = end - len(word), ending[end][word][1]
        return score, words[::-1]

    def word(self, core: str) -> Found | None:
        """The known word that `core` disguises, and the place of each letter in `core`."""
        if core in self.counts or not 2 < len(core) <= LONGEST:
            return None
        if core.isalpha() and not (core.isascii() and DOUBLED.search(core)):
            return None
        if _FOREIGN_LETTER.search(core):
            return None
        for ending in _POSSESSIVES if core.endswith(_POSSESSIVES) else ():
            if core.endswith(ending):
                stem = self.word(core[: -len(ending)])
                rest = tuple(range(len(core) - len(ending), len(core)))
                return None if stem is None else (stem[0] + ending, stem[1] + rest)
        return self._unmasked(core) or self._closest(core)

    def _closest(self, core: str) -> Found | None:
        """The word with the fewest letters doubled and signs dropped, then the commonest."""
        found: list[tuple[tuple[int, int, int], Found]] = []
        for order, dropped in enumerate(_droppings(core)):
            alike = self._alike.get(_skeleton(_without(core, dropped)))
            if alike is None:
                continue
            chars = [(char, i) for i, char in enumerate(core) if char not in dropped]
            for word in alike:
                sources = _matched(chars, word)
                if sources is not None and self._is_sound(core, chars, word):
                    found.append(((len(chars) - len(word), order, -self.counts[word]), (word, sources)))
        return min(found)[1] if found else None

    def _is_sound(self, core: str, chars: list[tuple[str, int]], word: str) -> bool:
        """Whether reading `core` as `word` is a disguise undone, not a code or a name spoiled."""
        masked = word in MASKED
        doubles = len(chars) - len(word)
        dropped = [char for char in core if not char.isalnum()]
        for char, _ in chars:
            if char in dropped:
                dropped.remove(char)
        swapped = sum(not ("a" <= char <= "z") for char, _ in chars)
        letters = len(chars) - swapped
        stripped = self.weight.get(core.strip(_NOT_LETTERS)) if swapped or dropped else None
        if not masked and stripped is not None and stripped > self.weight[word] - 3:
            return False  # "route5" is rather a route than routes
        if (doubles > 0) + bool(dropped) + (swapped > 0) > 1 and len(word) < 5 and not masked:
            return False
        return (
            (not doubles or self._is_sound_undoubled(core, word, doubles))
            and (not swapped or self._is_sound_leet(core, word, letters, swapped))
            and (not dropped or self._is_sound_joined(core, word, dropped))
        )

    def _is_sound_undoubled(self, core: str, word: str, doubles: int) -> bool:
        if word in MASKED:
            return len(word) > 3 or doubles > 1
        if len(word) > 4:
            return doubles > 1 or core[0] == core[1] or self.counts[word] >= _LEAST_UNDOUBLED
        if len(word) == 4:
            least = _FAMILIAR if _UNUSUAL_DOUBLE.search(core) else _COMMON
            return doubles > 1 or self.weight[word] > least
        return self.weight[word] > _EVERYDAY

    def _is_sound_leet(self, core: str, word: str, letters: int, swapped: int) -> bool:
        masked = word in MASKED
        if letters < 2:
            return masked and bool(letters) and "$" in core
        if letters < swapped and len(word) < 5:
            return False
        if _NUMBERED.fullmatch(core) and not masked and self.weight[word] < _COMMON:
            return False
        if _CODE.fullmatch(core):
            return (masked and letters > 2) or (self.weight[word] > _EVERYDAY and swapped == 1)
        return masked or len(word) > 3 or self.weight[word] > _COMMON

    def _is_sound_joined(self, core: str, word: str, dropped: list[str]) -> bool:
        marks = set(dropped)
        masked = word in MASKED
        ordinary = marks <= _ORDINARY_MARKS
        least = -99.0 if len(word) > 4 else _COMMON if len(word) == 4 else 0.0 if ordinary else _EVERYDAY
        if not masked and self.weight[word] < least:
            return False
        parts = [part for part in re.split("[" + "".join(map(re.escape, marks)) + "]+", core) if part]
        if word in parts or (marks & _BRACKETS and not masked):
            return False
        if marks & _APOSTROPHES and (
            parts[-1] in _CLITICS or parts[0] in _CLITICS or not (masked or self.weight[word] > _COMMON)
        ):
            return False
        count = self.counts[word]
        if masked:
            if len(word) == 3 and (len(parts) < 3 or "." in marks):
                return False
            return any(len(p) < 3 or p not in self.counts or 5 * self.counts[p] < count for p in parts)
        singles = sum(len(part) == 1 for part in parts)
        if marks <= _HYPHENS and len(parts[0]) == 2:
            parts = parts[1:]  # "un-", "de-", "re-"
        unknown = any(len(part) > 1 and self.is_fragment(part, word) for part in parts)
        if ordinary:
            is_cut_off = len(parts[-1]) == 1 and self.weight[word] > _FAMILIAR
            return unknown or singles > 1 or is_cut_off
        return unknown or singles > 0

    def is_fragment(self, part: str, word: str) -> bool:
        """Whether `part` is no word, or so rare that it is rather a part of `word`."""
        if len(part) == 2 and self.weight.get(part, _FAMILIAR) < _COMMON:
            return True
        return RARE_COUNT * self.counts.get(part, 0) < self.counts[word]

    def _unmasked(self, core: str) -> Found | None:
        inner = set(core[1:-1]) & _WILD
        if not inner or len(core) < 4 or not (core[0].isalpha() and core[-1].isalpha()):
            return None
        parts = [part for part in re.split(r"[^a-z]+", core) if part]
        if inner <= _ORDINARY_MARKS and all(len(part) > 2 and part in self.sure for part in parts):
            return None
        if sum(map(len, parts)) < 2:
            return None
        for word in self._masked.get(len(core), ()):
            if all(own == letter or own in _WILD for own, letter in zip(core, word, strict=True)):
                return word, tuple(range(len(core)))
        return None


def _skeleton(word: str) -> str:
    """What of a word neither leetspeak nor doubling changes."""
    return _REPEATED.sub(r"\1", word.translate(LEET_CLASS))


def _droppings(core: str) -> Iterator[set[str]]:
    """Which characters of `core` do not count: where all signs are read as letters, some, none."""
    signs = set(core) - _LETTERS
    if not signs:
        yield _APOSTROPHE
        return
    tests: tuple[Callable[[str], bool], ...] = (
        lambda char: char in LEET,
        lambda char: char.isdigit() or char in _FIRM_SIGNS,
        str.isdigit,
    )
    tried = set[frozenset[str]]()
    for test in tests:
        kept = frozenset(filter(test, signs))
        if kept not in tried and kept <= LEET.keys():
            tried.add(kept)
            yield (signs - kept) | _APOSTROPHE


def _without(core: str, dropped: set[str]) -> str:
    for char in dropped:
        core = core.replace(char, "")
    return core


def _matched(chars: list[tuple[str, int]], word: str) -> tuple[int, ...] | None:
    """Where each letter of `word` begins in `chars`; each may be repeated, none left out."""
    if len(chars) < len(word):
        return None
    starts: dict[int, tuple[int, ...]] = {0: ()}  # letters read so far → their places
    for char, place in chars:
        fits = LEET.get(char, char)
        following: dict[int, tuple[int, ...]] = {}
        for read, places in starts.items():
            if read and word[read - 1] in fits:
                following[read] = places
            if read < len(word) and word[read] in fits:
                following[read + 1] = (*places, place)
        starts = following
    return starts.get(len(word))
