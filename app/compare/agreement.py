"""How far two sides agree, and where they differ most."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from app.compare.asking import Comparison, Reply
from app.compare.errors import CompareError

__all__ = ["Agreement", "Change", "agreement", "largest_changes", "score_pairs", "write_csv"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two sides agree on one attribute."""

    attribute: str
    texts: int
    """How many both sides scored; with none, there are no figures."""
    spearman: float | None
    """In [-1, 1]; None where a side always says the same."""
    pearson: float | None
    """In [-1, 1]; None where a side always says the same."""
    difference: float | None
    """Mean of the absolute differences."""
    changed: float | None
    """Share of texts that only one side scores above the threshold."""


@dataclass(frozen=True, slots=True)
class Change:
    """A text, by its id, that the sides score differently."""

    id: str
    attribute: str
    left: float
    right: float


def score_pairs(comparison: Comparison, attribute: str) -> tuple[list[str], NDArray[np.float64]]:
    """Return the ids of the texts that both sides scored, and their scores, shape (texts, 2)."""
    ids, rows = [], []
    for text, left, right in zip(comparison.texts, comparison.left, comparison.right, strict=True):
        if left and right and attribute in left.scores and attribute in right.scores:
            ids.append(text.id)
            rows.append((left.scores[attribute], right.scores[attribute]))
    return ids, np.array(rows, dtype=np.float64).reshape(-1, 2)


def agreement(comparison: Comparison, attribute: str, threshold: float) -> Agreement:
    """Return the figures of one attribute.

    Args:
        comparison: what both sides said.
        attribute: one of its attributes.
        threshold: a decision changes where one score is above it and the other is not, as Coral and
            Discourse compare.
    """
    _, scores = score_pairs(comparison, attribute)
    if not len(scores):
        return Agreement(attribute, 0, None, None, None, None)
    left, right = scores.T
    return Agreement(
        attribute,
        texts=len(scores),
        spearman=_correlation(rankdata(left), rankdata(right)),
        pearson=_correlation(left, right),
        difference=float(np.abs(left - right).mean()),
        changed=float(((left > threshold) != (right > threshold)).mean()),
    )


def largest_changes(comparison: Comparison, count: int) -> list[Change]:
    """Return the `count` largest differences of all attributes, the largest first."""
    changes = [
        Change(text_id, attribute, float(left), float(right))
        for attribute in comparison.attributes
        for text_id, (left, right) in zip(*score_pairs(comparison, attribute), strict=True)
    ]
    changes.sort(key=lambda change: -abs(change.left - change.right))
    return changes[:count]


def write_csv(comparison: Comparison, path: Path, *, with_texts: bool = False) -> None:
    """Write a row a text: id, the text if wanted, both scores an attribute, both errors.

    Raises:
        CompareError: the file cannot be written.
    """
    names = [f"{side}_{name}" for name in comparison.attributes for side in ("left", "right")]
    head = ["id", *(["text"] if with_texts else []), *names, "left_error", "right_error"]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(head)
            table.writerows(_rows(comparison, with_texts))
    except OSError as error:
        raise CompareError(f"{path} cannot be written: {error.strerror or type(error).__name__}") from None


def _rows(comparison: Comparison, with_texts: bool) -> Iterator[list[object]]:
    for text, left, right in zip(comparison.texts, comparison.left, comparison.right, strict=True):
        sides = (left or Reply(error="not asked"), right or Reply(error="not asked"))
        scores = [side.scores.get(name, "") for name in comparison.attributes for side in sides]
        errors = [side.error or "" for side in sides]
        yield [text.id, *([text.text] if with_texts else []), *scores, *errors]


def _correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float | None:
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    return float(np.corrcoef(left, right)[0, 1])
