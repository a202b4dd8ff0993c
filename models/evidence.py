"""Cheap evidence of stance: what a premise and a comment say to each other in plain view.

`StanceEvidence` turns (premise, comment) pairs into a small dense table: explicit agreement and
disagreement and whom it is addressed to, polarity, negation, overlap, length, questions. The words
and phrases are those of `lexicon.toml`.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from models.memory import Memory, key_of
from models.strings import ReadsStrings
from models.text import normalise

__all__ = [
    "ADDRESSED",
    "EVIDENCE",
    "StanceEvidence",
    "check_pairs",
    "opening_side",
    "sentence_places",
    "sentences",
]

_LEXICON: dict[str, Any] = tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))


def _cue(alternatives: Sequence[str]) -> re.Pattern[str]:
    pattern = "|".join(alternatives)
    for name, fragment in _LEXICON["fragments"].items():
        pattern = pattern.replace(f"<{name}>", fragment)
    return re.compile(pattern, re.MULTILINE)


_PATTERNS = {name: _cue(alternatives) for name, alternatives in _LEXICON["cues"].items()}
_OPENING = _cue(_LEXICON["openings"]["side"])
_GOOD, _BAD, _NEGATED, _STOP = (
    frozenset(_LEXICON["words"][name].split()) for name in ("good", "bad", "negation", "stop")
)
_SIGNED_CUES = ("agree", "disagree", "praise", "rebuke")

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n+")
_OPENING_CHARACTERS = 160
_SHORT_SENTENCE_WORDS = 8
_CUES = Memory(8192)  # a comment stands under several premises, and training reads it many times

EVIDENCE: tuple[str, ...] = (
    *_PATTERNS,
    *(f"opening_{name}" for name in _SIGNED_CUES),
    *(f"short_{name}" for name in _SIGNED_CUES),
    *(f"{name}_target" for name in _SIGNED_CUES),
    "polarity",
    "premise_polarity",
    "polarity_product",
    "negation",
    "premise_negation",
    "negation_product",
    "negated_overlap",
    "polarity_near_overlap",
    "words",
    "premise_words",
    "overlap",
    "weighted_overlap",
    "stem_overlap",
    "bigram_overlap",
    "best_sentence_overlap",
    "comment_in_premise",
)
"""The columns of the table, in order."""

ADDRESSED: tuple[int, ...] = tuple(EVIDENCE.index(f"{name}_target") for name in ("agree", "disagree"))
"""Columns of agreement and disagreement with the article itself: its premise, its author, its headline."""


def check_pairs(X: Any) -> list[tuple[str, str]]:
    """Return `X` as a list of (premise, comment) pairs of strings.

    Raises:
        TypeError: an item is not a pair of strings.
    """
    pairs = []
    for position, item in enumerate(X):
        if isinstance(item, str) or len(item) != 2 or not all(isinstance(part, str) for part in item):
            raise TypeError(f"pairs[{position}] must be a (premise, comment) pair of str")
        pairs.append((str(item[0]), str(item[1])))
    return pairs


def sentences(text: str) -> list[str]:
    """Split `text` at sentence ends and line breaks; never empty unless `text` is blank."""
    return [text[begin:end] for begin, end in sentence_places(text)]


def sentence_places(text: str) -> list[tuple[int, int]]:
    """Return begin and end of each sentence, without the white space around it."""
    begin, places = 0, []
    for found in [*_SENTENCE_END.finditer(text), None]:
        end = len(text) if found is None else found.start()
        part = text[begin:end]
        if core := part.strip():
            first = begin + part.index(core[0])
            places.append((first, first + len(core)))
        begin = len(text) if found is None else found.end()
    return places


def opening_side(comment: str, most_words: int) -> int | None:
    """Return the column of `ADDRESSED` with which a comment opens, or None.

    Its opening sentence has at most `most_words` words, in which the writer agrees or disagrees with the
    article, its author or its premise, and says nothing else.
    """
    places = sentence_places(comment)
    opening = comment[slice(*places[0])] if places else ""
    found = _OPENING.search(normalise(opening.replace("’", "'")))
    if found is None or len(_tokens(opening)) > most_words:
        return None
    return ADDRESSED[bool(found["negated"] or found["opposed"])]


class StanceEvidence(ReadsStrings, TransformerMixin, BaseEstimator):
    """(premise, comment) pairs → dense float64 table of shape (n_pairs, len(EVIDENCE)).

    Attributes:
        word_weight_: a word's rarity in the comments seen by `fit`, log(n / df).
        unseen_weight_: the rarity of a word that `fit` did not see.
    """

    def __init__(self, min_count: int = 5) -> None:
        self.min_count = min_count

    def fit(self, X: Sequence[tuple[str, str]], y: object = None) -> Self:
        """Learn how rare each word is."""
        pairs = check_pairs(X)
        comments = list({comment for _, comment in pairs})
        seen_in = Counter(word for comment in comments for word in set(_tokens(comment)))
        self.word_weight_ = {
            word: float(np.log((1 + len(comments)) / (1 + count)))
            for word, count in seen_in.items()
            if count >= self.min_count
        }
        self.unseen_weight_ = float(np.log((1 + len(comments)) / self.min_count))
        return self

    def transform(self, X: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the table; identical premises are looked at once a call."""
        check_is_fitted(self)
        pairs = check_pairs(X)
        table = np.zeros((len(pairs), len(EVIDENCE)))
        premises = {premise: _tokens(premise) for premise, _ in pairs}
        for row, (premise, comment) in zip(table, pairs, strict=True):
            row[:] = [*_cues(comment), *self._relations(premises[premise], comment)]
        return table

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return `EVIDENCE` as an array."""
        return np.array(EVIDENCE, dtype=object)

    def _relations(self, premise: list[str], comment: str) -> list[float]:
        words = _tokens(comment)
        wanted = {word for word in premise if word not in _STOP}
        present = wanted & set(words)
        stems = {word[:5] for word in wanted}
        shared_stems = stems & {word[:5] for word in words}
        pairs = set(pairwise(premise))
        shared_pairs = pairs & set(pairwise(words))
        polarity, premise_polarity = _polarity(words), _polarity(premise)
        negation = _share(words, _NEGATED)
        premise_negation = float(any(word in _NEGATED for word in premise))
        near_polarity, near_negation = _around(words, stems)
        content = [word for word in words if word not in _STOP]
        return [
            polarity,
            premise_polarity,
            polarity * premise_polarity,
            negation,
            premise_negation,
            negation * premise_negation,
            near_negation,
            near_polarity,
            float(np.log1p(len(words))),
            float(np.log1p(len(premise))),
            len(present) / max(1, len(wanted)),
            self._weight(present) / max(1e-9, self._weight(wanted)),
            len(shared_stems) / max(1, len(stems)),
            len(shared_pairs) / max(1, len(pairs)),
            max((_stem_share(part, stems) for part in sentences(comment)), default=0.0),
            sum(word[:5] in stems for word in content) / max(1, len(content)),
        ]

    def _weight(self, words: Iterable[str]) -> float:
        return sum(self.word_weight_.get(word, self.unseen_weight_) for word in words)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(normalise(text.replace("’", "'")))


def _cues(comment: str) -> NDArray[np.float64]:
    key = key_of(comment)
    found = _CUES.get(key)
    if found is None:
        found = np.array(_cue_values(comment))
        _CUES.put(key, found)
    return found


def _cue_values(comment: str) -> list[float]:
    text = normalise(comment.replace("’", "'"))
    opening = text[:_OPENING_CHARACTERS]
    parts = sentences(text)
    short = " \n".join(part for part in parts if len(part.split()) <= _SHORT_SENTENCE_WORDS)
    targeted = "\n".join(part for part in parts if _PATTERNS["target"].search(part))
    signed = [_PATTERNS[name] for name in _SIGNED_CUES]
    return [
        *(float(np.log1p(sum(1 for _ in pattern.finditer(text)))) for pattern in _PATTERNS.values()),
        *(float(bool(pattern.search(opening))) for pattern in signed),
        *(float(bool(pattern.search(short))) for pattern in signed),
        *(float(bool(pattern.search(targeted))) for pattern in signed),
    ]


def _polarity(words: Sequence[str]) -> float:
    """(good − bad) / √words, a word after a negation counting the other way."""
    total = 0
    for place, word in enumerate(words):
        sign = (word in _GOOD) - (word in _BAD)
        if sign and any(before in _NEGATED for before in words[max(0, place - 3) : place]):
            sign = -sign
        total += sign
    return float(total / max(1.0, len(words)) ** 0.5)


def _share(words: Sequence[str], among: frozenset[str]) -> float:
    return float(sum(word in among for word in words) / max(1.0, len(words)) ** 0.5)


def _around(words: Sequence[str], stems: set[str], reach: int = 4) -> tuple[float, float]:
    """Mean polarity and negation of the words around those that the premise shares."""
    polarity = negation = 0.0
    places = [place for place, word in enumerate(words) if word not in _STOP and word[:5] in stems]
    for place in places:
        near = words[max(0, place - reach) : place + reach + 1]
        polarity += sum((word in _GOOD) - (word in _BAD) for word in near)
        negation += any(word in _NEGATED for word in near)
    return polarity / max(1, len(places)), negation / max(1, len(places))


def _stem_share(sentence: str, stems: set[str]) -> float:
    found = {word[:5] for word in _tokens(sentence)} & stems
    return len(found) / max(1, len(stems))
