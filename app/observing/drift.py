"""Drift of the live traffic: each day's scores and languages against the reference of the version."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.observing.counts import Observations, ScoreCounts
from models import ATTRIBUTES
from models.drift import DriftReference, language_bins, psi, psi_by_chance

__all__ = ["LANGUAGES", "Drift", "Verdict", "drift_of_day", "shares_of"]

LANGUAGES = "languages"
"""The name under which the drift of languages stands beside the attributes."""

Verdict = str
_STEADY, _SHIFTED = 0.1, 0.25


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one distribution of one day is from the reference.

    Attributes:
        name: an attribute, or `LANGUAGES`.
        comments: how many were counted.
        psi: population stability index; 0 where nothing has changed.
        by_chance: what the index stays below in 95 of 100 days of so many comments without any drift.
    """

    name: str
    comments: int
    psi: float
    by_chance: float

    @property
    def verdict(self) -> Verdict:
        """`steady`, `watch` from 0.1 on, `shifted` from 0.25 on; what may be chance is steady."""
        if self.psi < _STEADY or self.psi <= self.by_chance:
            return "steady"
        return "shifted" if self.psi >= _SHIFTED else "watch"


def drift_of_day(counts: ScoreCounts, reference: DriftReference) -> Iterator[Drift]:
    """Yield the drift of each attribute and of the languages, as far as they were counted."""
    for name in ATTRIBUTES:
        counted = counts.attributes.get(name)
        if counted and name in reference.scores:
            yield _drift(name, reference.scores[name].shares, counted)
    if counts.languages:
        yield _drift(LANGUAGES, *language_bins(reference.languages, counts.languages))


def shares_of(observations: Observations, day: str) -> dict[str, float]:
    """Return language → share of the comments of a day, of all versions together."""
    counted: dict[str, int] = {}
    for counts in observations.scores.get(day, {}).values():
        for language, count in counts.languages.items():
            counted[language] = counted.get(language, 0) + count
    total = sum(counted.values())
    return {language: count / total for language, count in sorted(counted.items())}


def _drift(name: str, expected: "tuple[float, ...] | list[float]", counted: list[int]) -> Drift:
    total = sum(counted)
    return Drift(name, total, psi(expected, counted), psi_by_chance(expected, total))
