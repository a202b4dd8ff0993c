"""Reads a text word by word and undoes what is done to hide one; remembers what it decided about pieces."""

import re
from collections.abc import Collection, Iterator
from itertools import filterfalse, pairwise, product
from math import prod

import numpy as np

from models.edits import Edit, Line, fold, fold_line, fold_roughly
from models.lookalikes import CLOSE, LOOKALIKE, LOOSE, MASKED, RUN, script
from models.text import Aligned, normalise
from models.vocabulary import DOUBLED, EDGES, LONGEST, RARE_COUNT, Found, Vocabulary

__all__ = ["Reader"]

_PASSES = 8
_REMEMBERED = 50_000
_TRAILING = EDGES + "!"
_PROTECTED = re.compile(
    r"://|www\.|^#\w|[0-9a-f]:[0-9a-f]+:[0-9a-f]|\w@\w[\w-]*\.\w"
    r"|[a-z0-9-]\.(?:com|org|net|edu|gov|info|io|tv|uk|us|de|fr|ca|au|eu|html?|php|jpe?g|png|gif|svg|pdf)\b"
)
_PIECE = re.compile(r"\S+")
_PART = re.compile(r"[^-/.,;:&()\[\]{}\"<>=…—–~?\\“”]+")
_PAIR = re.compile(r"(?<![a-z])([a-z]++)(?= ([a-z]++))")
_LETTERS = re.compile(r"[a-z]+")
_COMPOUND = re.compile(r"[a-z]{3,}(?:[-/.,:&][a-z]{3,})+")
_LONE = re.compile(r"(?<![^\W_])(?<!')[b-hj-z](?![^\W_])(?!')")
_SPACED = re.compile(r"(?<![^\W_])(?<!')[a-z0-9](?:(?:[^\w\n]|_){1,5}[a-z0-9](?![^\W_])){2,}(?!')")
_FOREIGN_LETTER = re.compile(r"[^\W\d_a-z]")
_NATIVE = frozenset("øđłıəŋþðɛɔɓɗƙħ")  # Latin letters of languages that write short words like English ones

# Verdicts on a piece of text between spaces; they add up.
_SETTLED, _CHANGED, _SINGLE, _STRANGE, _SPELLED = 0, 1, 2, 4, 8


class Reader:
    """Undoes evasion in texts, guided by the words it knows.

    Args:
        vocabulary: the known words.
        settled: pieces of text between spaces of which `is_settled` is known to hold; they save work.
    """

    def __init__(self, vocabulary: Vocabulary, settled: Collection[str] = ()) -> None:
        self._vocabulary = vocabulary
        self._counts = vocabulary.counts
        self._learnt = settled
        self._forget()

    def is_settled(self, piece: str) -> bool:
        """Whether a folded piece of text between spaces stays as it is, whatever stands beside it."""
        return self._verdict(piece) == _SETTLED

    def read(self, text: str) -> str:
        """Return the text normalised and undisguised."""
        plain = fold_roughly(text)  # a word with a stretched letter is always suspicious
        if not self._is_suspicious(plain):
            return plain
        folded = fold(text)
        if folded != plain and not self._is_suspicious(folded):
            return folded
        return self._undone(Line(folded, None)).text

    def align(self, text: str) -> Aligned:
        """Return `read(text)` with the origin of each of its characters."""
        line = fold_line(Line(text, np.arange(len(text) + 1)))
        if self._is_suspicious(line.text):
            line = self._undone(line)
        assert line.origins is not None
        return Aligned(line.text, line.origins)

    def _undone(self, line: Line) -> Line:
        first = line
        for _ in range(_PASSES):
            before = line.text
            for stage in (self._lookalikes, self._separated, self._pieces, self._split):
                line = line.edited(list(stage(line.text)))
            if line.text == before:
                return line
            line = fold_line(line)
            if not self._is_suspicious(line.text):
                return line
        return first  # never in earnest; keeps "twice changes nothing" true

    # What is suspicious

    def _forget(self) -> None:
        self._settled = {*self._vocabulary.sure, *self._learnt}
        self._most = len(self._settled) + _REMEMBERED
        self._verdicts: dict[str, int] = {}
        self._repairs: dict[str, list[Edit]] = {}

    def _is_suspicious(self, text: str) -> bool:
        pieces = text.split()
        fresh = self._unsettled(pieces)
        if not fresh:
            return False
        strange: list[str] = []
        singles = 0
        remembered, sure, settle = self._verdicts.get, self._vocabulary.sure, self._settled.add
        for piece in fresh:
            verdict = remembered(piece)
            if verdict is None:
                if piece.strip(EDGES) in sure and len(piece) <= LONGEST:
                    settle(piece)
                    continue
                verdict = self._verdict(piece)
            if verdict & (_CHANGED | _SPELLED):
                return True
            if verdict:
                strange.append(piece)
                singles += verdict == _SINGLE
        if singles > 1 and _SPACED.search(text):
            return True
        return bool(strange) and self._may_be_split(pieces, strange)

    def _verdict(self, piece: str) -> int:
        known = self._verdicts.get(piece)
        if known is not None:
            return known
        verdict = _SETTLED if piece in self._settled else self._judged(piece)
        if len(piece) <= LONGEST:
            if len(self._settled) + len(self._verdicts) > self._most:
                self._forget()
            if verdict == _SETTLED:
                self._settled.add(piece)
            else:
                self._verdicts[piece] = verdict
        return verdict

    def _judged(self, piece: str) -> int:
        if piece.strip(EDGES) in self._vocabulary.sure:
            return _SETTLED
        core = piece.strip(_TRAILING)
        is_plain = len(core) > 1 and bool(_LETTERS.fullmatch(core))
        if is_plain and not DOUBLED.search(core):
            return _SETTLED if core in self._vocabulary.sure else _STRANGE
        if piece.isascii() and not _LETTERS.search(piece):
            return _SETTLED
        if _COMPOUND.fullmatch(core) and self._is_plain_compound(core):
            return _SETTLED
        if normalise(piece) != piece or self._repaired(piece):
            return _CHANGED
        if any(self._latin(word, set(), True) is not None for word in _disguised_runs(piece)):
            return _CHANGED
        if is_plain:
            return _SETTLED if core in self._vocabulary.sure else _STRANGE
        if _LONE.search(piece):
            return _SPELLED if any(self._separated(piece)) else _SINGLE
        return _SETTLED

    def _is_plain_compound(self, core: str) -> bool:
        """Whether every part is a word and the whole is none: "science-fiction", "style/words"."""
        parts = _LETTERS.findall(core)
        return "".join(parts) not in self._counts and all(
            len(part) > 2 and part in self._vocabulary.sure for part in parts
        )

    def _may_be_split(self, pieces: list[str], strange: list[str]) -> bool:
        """Whether a strange piece and a neighbour are one word; `strange` holds all of them, in order."""
        i = -1
        for piece in strange:
            i = pieces.index(piece, i + 1)
            core = piece.strip(_TRAILING)
            before = pieces[i - 1].strip(_TRAILING) if i else ""
            after = pieces[i + 1].strip(_TRAILING) if i + 1 < len(pieces) else ""
            if (before and self._is_sound_split(before, core)) or (
                after and self._is_sound_split(core, after)
            ):
                return True
        return False

    # Look-alikes

    def _lookalikes(self, text: str) -> Iterator[Edit]:
        if text.isascii() or not LOOKALIKE.search(text):
            return
        genuine = _genuine_scripts(text)
        has_latin = bool(_LETTERS.search(text))
        for m in RUN.finditer(text):
            if m.group().isascii() or m.end() - m.start() > LONGEST:
                continue
            found = self._latin(m.group(), genuine, has_latin)
            if found is not None:
                yield Edit(m.start(), m.end(), found, tuple(range(m.start(), m.end())))

    def _latin(self, word: str, genuine: set[str], has_latin: bool) -> str | None:
        options = []
        for char in word:
            letters = char if char.isascii() else CLOSE.get(char) or LOOSE.get(char)
            if not letters:
                return None
            options.append(letters)
        foreign = {char for char in word if not char.isascii()}
        scripts = {script(char) for char in foreign if char.isalpha()} - {"LATIN"}
        mixed = len(foreign) < len(set(word)) and bool(_LETTERS.search(word))
        apart = mixed or ((has_latin or not scripts) and not scripts & genuine)
        first = "".join(letters[0] for letters in options)
        readings = {first}
        if prod(map(len, options)) <= 64:
            readings.update(map("".join, product(*options)))
        known = [reading for reading in readings if reading in self._counts]
        if not known and self._vocabulary.word(first) is not None:
            known = [first]
        if known and apart and len(word) > (3 if foreign & _NATIVE else 2):
            return max(known, key=lambda reading: (self._counts.get(reading, 0), reading))
        clear = mixed and len(word) > 2 and foreign <= CLOSE.keys() and bool(scripts)
        return first if clear and not scripts & genuine else None

    # Separated letters

    def _separated(self, text: str) -> Iterator[Edit]:
        for m in _SPACED.finditer(text):
            begin, run = m.start(), m.group()
            places = [i for i, char in enumerate(run) if char.isascii() and char.isalnum()]
            gaps = [run[i + 1 : k] for i, k in pairwise(places)]
            letters = "".join(run[i] for i in places)
            if 5 * sum(char.isdigit() for char in letters) > 2 * len(letters):
                continue
            words = self._vocabulary.spelled(letters, gaps)
            if words is None:
                continue
            sources: list[int] = []
            place = 0
            for word in words:
                if place:
                    sources.append(begin + places[place - 1] + 1)
                sources += (begin + i for i in places[place : place + len(word)])
                place += len(word)
            read = " ".join(words)
            if read != run:
                yield Edit(begin, m.end(), read, tuple(sources))

    # Pieces between spaces

    def _pieces(self, text: str) -> Iterator[Edit]:
        changed = {piece for piece in self._unsettled(text.split()) if self._verdict(piece) & _CHANGED}
        if not changed:
            return
        for m in _PIECE.finditer(text):
            if m.group() in changed:
                for begin, end, read, sources in self._repaired(m.group()):
                    yield Edit(
                        m.start() + begin, m.start() + end, read, tuple(m.start() + i for i in sources)
                    )

    def _unsettled(self, pieces: list[str]) -> list[str]:
        return list(filterfalse(self._settled.__contains__, pieces))

    def _repaired(self, piece: str) -> list[Edit]:
        found = self._repairs.get(piece)
        if found is None:
            found = self._mended(piece)
            if len(piece) <= LONGEST:
                self._repairs[piece] = found
        return found

    def _mended(self, piece: str) -> list[Edit]:
        found = self._disguises(piece)
        return [] if found and _PROTECTED.search(piece) else found

    def _disguises(self, piece: str) -> list[Edit]:
        core = piece.strip(EDGES).rstrip(_TRAILING)
        if core in self._counts or not _LETTERS.search(core):
            return []
        begin = piece.index(core)
        whole = self._vocabulary.word(core)
        if whole is not None:
            return [_shifted(whole, begin, len(core))]
        if core.isalpha():
            return []
        found = []
        for m in _PART.finditer(core):
            if m.end() - m.start() < len(core) and (part := self._vocabulary.word(m.group())) is not None:
                found.append(_shifted(part, begin + m.start(), m.end() - m.start()))
        return found

    # A word split by one space

    def _split(self, text: str) -> Iterator[Edit]:
        pieces = text.split()
        strange = [p for p in self._unsettled(pieces) if self._verdict(p) & (_STRANGE | _SINGLE)]
        if not self._may_be_split(pieces, strange):
            return
        last = -1
        for m in _PAIR.finditer(text):
            left, right = m.groups()
            if m.start() < last or not self._is_sound_split(left, right):
                continue
            if _stands_alone(text, m.start(), m.end(2)):
                last = m.end(2)
                sources = (*range(m.start(), m.end()), *range(m.start(2), m.end(2)))
                yield Edit(m.start(), m.end(2), left + right, sources)

    def _is_sound_split(self, left: str, right: str) -> bool:
        joined = left + right
        if joined not in self._counts:
            return False
        fragments = [part for part in (left, right) if self._vocabulary.is_fragment(part, joined)]
        if not fragments or (len(joined) < 5 and joined not in MASKED):
            return False
        return max(map(len, fragments)) > 1 and self._counts[joined] >= RARE_COUNT


def _disguised_runs(text: str) -> list[str]:
    if text.isascii() or not LOOKALIKE.search(text):
        return []
    return [run for run in RUN.findall(text) if not run.isascii() and len(run) <= LONGEST]


def _genuine_scripts(text: str) -> set[str]:
    """The scripts of letters that do not pass for Latin ones."""
    return {script(char) for char in set(_FOREIGN_LETTER.findall(text)) if char not in CLOSE}


def _stands_alone(text: str, begin: int, end: int) -> bool:
    before, after = text[begin - 1 : begin], text[end : end + 1]
    return (not before or before in ' \n\t("[') and (not after or after in ' \n\t.,;:!?)"]')


def _shifted(found: Found, begin: int, length: int) -> Edit:
    word, sources = found
    return Edit(begin, begin + length, word, tuple(begin + i for i in sources))
