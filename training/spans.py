"""How well the words that a model names agree with what annotators marked as toxic (SemEval-2021 task 5)."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from data import read_toxic_spans
from data.errors import MissingDataError
from models import Span
from training.errors import LeftOutError
from training.judged import Judged, Rows, Variant, figure

__all__ = ["RULES", "SpanRule", "choose_rule", "judge_spans", "mean_span_f1", "span_f1"]

_Marked = tuple[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class SpanRule:
    """How named words become toxic characters.

    Attributes:
        attributes: "TOXICITY", or "any" for the attribute with the highest score of each word.
        threshold: least score of a word.
        share: least score of a word, as a share of the text's highest: where several words each
            suffice, taking out one lowers the probability little, so that scores are small all over.
        gap: most characters between two such words that are joined, where nothing but spaces and
            punctuation lies between them.
    """

    attributes: str
    threshold: float
    share: float
    gap: int

    def characters(self, text: str, spans: Iterable[Span]) -> frozenset[int]:
        """Return the places of the characters that count as toxic."""
        scores: dict[tuple[int, int], float] = {}
        for span in spans:
            if self.attributes in ("any", span.attribute):
                place = (span.begin, span.end)
                scores[place] = max(span.score, scores.get(place, 0.0))
        least = max(self.threshold, self.share * max(scores.values(), default=0.0))
        chosen = sorted(place for place, score in scores.items() if score >= least)
        found: set[int] = set()
        before: int | None = None
        for begin, end in chosen:
            if before is not None and begin - before <= self.gap and not _holds_word(text[before:begin]):
                found.update(range(before, begin))
            found.update(range(begin, end))
            before = end
        return frozenset(found)


RULES = tuple(
    SpanRule(*chosen)
    for chosen in product(
        ("TOXICITY", "any"),
        (0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3),
        (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
        (0, 1, 2, 4),
    )
)
"""Every rule that the calibration side chooses from."""


def judge_spans(judged: Judged) -> dict[str, Any]:
    """Return the character F1 on the test side, by the rule that is best on the calibration side.

    Raises:
        LeftOutError: toxic-spans is not here.
        DataError: it is malformed.
    """
    sides = {side: _marked(judged.rows, side) for side in ("calibration", "test")}
    if not all(sides.values()):
        raise LeftOutError("toxic-spans has no rows on the calibration or the test side")
    return {
        "split": "test",
        "seed": judged.seed,
        "rows": len(sides["test"]),
        "rule_chosen_on": {"split": "calibration", "rows": len(sides["calibration"]), "rules": len(RULES)},
        "variants": {variant.name: _of_variant(variant, **sides) for variant in judged.variants},
    }


def span_f1(predicted: frozenset[int], marked: frozenset[int]) -> float:
    """Return the F1 of two sets of characters; 1 where both are empty, 0 where one is."""
    if not predicted or not marked:
        return float(predicted == marked)
    return 2 * len(predicted & marked) / (len(predicted) + len(marked))


def mean_span_f1(rule: SpanRule, texts: Sequence[_Marked], spans: Sequence[list[Span]]) -> float:
    """Return the mean F1 over texts, each with its marked characters and the words a model names."""
    pairs = zip(texts, spans, strict=True)
    return float(np.mean([span_f1(rule.characters(text, found), marked) for (text, marked), found in pairs]))


def choose_rule(texts: Sequence[_Marked], spans: Sequence[list[Span]]) -> SpanRule:
    """Return the first of `RULES` with the highest mean F1."""
    return max(RULES, key=lambda rule: mean_span_f1(rule, texts, spans))


def _of_variant(variant: Variant, calibration: list[_Marked], test: list[_Marked]) -> dict[str, Any]:
    spans = variant.explain([text for text, _ in calibration])
    rule = choose_rule(calibration, spans)
    on_test = variant.explain([text for text, _ in test])
    return {
        "rule": asdict(rule),
        "calibration_f1": figure(mean_span_f1(rule, calibration, spans)),
        "f1": figure(mean_span_f1(rule, test, on_test)),
        "f1_of_naming_nothing": figure(np.mean([not marked for _, marked in test])),
    }


def _marked(rows: Rows, side: str) -> list[_Marked]:
    """Return the texts of one side with the places that annotators marked."""
    try:
        marked = {spans.text: frozenset(spans.offsets) for spans in read_toxic_spans(rows.folder)}
    except MissingDataError as error:
        raise LeftOutError(str(error)) from error
    return [(row.text, marked[row.text]) for row in rows.side("toxic-spans", side)]


def _holds_word(between: str) -> bool:
    return any(char.isalnum() for char in between)
