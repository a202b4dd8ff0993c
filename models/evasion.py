"""Undo what is done to a word so that a filter misses it: "ѕtup1d", "s.t.u.p.i.d", "f*ck".

Everything is guided by the vocabulary of the training texts: a word that occurs there stays, and a
disguise is undone where that yields such a word. A comment of known words costs one look-up a word;
what was decided about other pieces of text is remembered.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from models.edits import fold
from models.features import check_texts
from models.lookalikes import MASKED
from models.strings import ReadsStrings
from models.text import Aligned
from models.undisguising import Reader
from models.vocabulary import DOUBLED, LONGEST, LONGEST_WORD, Vocabulary

__all__ = ["Deobfuscator"]

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_PAIRED_WORDS, _PAIRS = 300, 3_000
_SETTLED_PIECES = 60_000


class Deobfuscator(ReadsStrings, TransformerMixin, BaseEstimator):
    """Texts → normalised texts with evasion undone; a list of the same length.

    Does what `models.text.normalise` does, and reads look-alikes, leetspeak, separated, stretched and
    masked letters as the known words they stand for. Foreign scripts, numbers, codes, addresses and
    hashtags stay. Transforming twice changes nothing.

    Args:
        min_count: in how many training texts a word must occur to be known.
        max_words: how many words are known at most; the commonest.

    Attributes:
        vocabulary_: the known words, sorted: letters a to z and apostrophes.
        counts_: int32 array: in how many training texts each occurs.
        settled_: pieces of text between spaces, such as "rivers,", that are no disguise and common enough
            to be worth remembering.
        pairs_: pairs of common words, "are a", and in how many training texts each occurs.
    """

    def __init__(self, min_count: int = 5, max_words: int = 40_000) -> None:
        self.min_count = min_count
        self.max_words = max_words

    def fit(self, X: Sequence[str], y: object = None) -> Self:
        """Learn the vocabulary."""
        texts = check_texts(X)
        seen_in: Counter[str] = Counter()
        for text in texts:
            seen_in.update(set(_WORD.findall(fold(text))))
        counts = {
            word: count for word, count in seen_in.items() if count >= self.min_count and _is_word(word)
        }
        kept = sorted(counts, key=lambda word: (-counts[word], word))[: self.max_words]
        disguised = _disguised(counts)
        self.vocabulary_ = tuple(sorted(word for word in kept if word not in disguised))
        self.counts_ = np.array([counts[word] for word in self.vocabulary_], dtype=np.int32)
        self.pairs_ = _common_pairs(texts, frozenset(kept[:_PAIRED_WORDS]))
        self.settled_: tuple[str, ...] = ()
        self.__dict__.pop("_reader", None)
        self.settled_ = self._common_settled(texts)
        self.__dict__.pop("_reader", None)
        return self

    def transform(self, X: Sequence[str]) -> list[str]:
        """Return each text normalised and undisguised."""
        return list(map(self._reading().read, check_texts(X)))

    def align(self, text: str) -> Aligned:
        """Return `transform([text])[0]` together with the origin of each of its characters."""
        return self._reading().align(text)

    @property
    def common_pieces(self) -> tuple[str, ...]:
        """The known words, and pieces of text between spaces that are as common."""
        check_is_fitted(self)
        return (*self.vocabulary_, *self._settled_pieces)

    @property
    def _settled_pieces(self) -> tuple[str, ...]:
        settled: tuple[str, ...] = getattr(self, "settled_", ())  # bundles before 2026.11.3 have none
        return settled

    def _reading(self) -> "Reader":
        reader: Reader | None = self.__dict__.get("_reader")
        if reader is None:
            check_is_fitted(self)
            counts = dict(zip(self.vocabulary_, self.counts_.tolist(), strict=True))
            reader = self._reader = Reader(Vocabulary(counts, self.pairs_), self._settled_pieces)
        return reader

    def _common_settled(self, texts: Sequence[str]) -> tuple[str, ...]:
        pieces: Counter[str] = Counter()
        for text in texts:
            pieces.update(set(fold(text).split()))
        reader, known = self._reading(), set(self.vocabulary_)
        common = [
            piece
            for piece, count in pieces.items()
            if count >= self.min_count
            and piece not in known
            and len(piece) <= LONGEST
            and reader.is_settled(piece)
        ]
        return tuple(sorted(sorted(common, key=lambda piece: (-pieces[piece], piece))[:_SETTLED_PIECES]))

    def __getstate__(self) -> dict[str, Any]:
        """What was remembered about texts is not saved."""
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_reader", None)
        return state


def _is_word(word: str) -> bool:
    return len(word) <= LONGEST_WORD and (len(word) > 1 or word in "ai")


def _common_pairs(texts: Sequence[str], words: frozenset[str]) -> dict[str, int]:
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        found = _WORD.findall(text.lower())
        pairs.update({pair for pair in pairwise(found) if pair[0] in words and pair[1] in words})
    return {f"{left} {right}": count for (left, right), count in pairs.most_common(_PAIRS)}


def _disguised(counts: dict[str, int]) -> set[str]:
    """Stretched spellings of masked words, "fuuck", frequent enough to look like words themselves."""
    masked = {DOUBLED.sub(r"\1", word): word for word in MASKED & counts.keys()}
    found = set()
    for word in counts.keys() - MASKED:
        usual = masked.get(DOUBLED.sub(r"\1", word), "")
        if 3 < len(usual) < len(word) and counts[usual] > 30 * counts[word]:
            found.add(word)
    return found
