"""The counts that a worker keeps, as they are in memory and in its file, and how several add up."""

from collections.abc import Iterable
from typing import Any, cast

from pydantic import BaseModel, Field

__all__ = ["DIFFERENCE_EDGES", "Comparison", "Difference", "Observations", "ScoreCounts", "added"]

DIFFERENCE_EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""From which absolute difference of two scores on each bin of `Difference.bins` but the first begins."""


class ScoreCounts(BaseModel):
    """What one version gave on one day."""

    comments: int = 0
    """All that it answered."""
    attributes: dict[str, list[int]] = Field(default_factory=dict)
    """Attribute → comments in English by bin of its score."""
    languages: dict[str, int] = Field(default_factory=dict)


class Difference(BaseModel):
    """Challenger minus champion, over the comments to which both gave the attribute."""

    comments: int = 0
    sum: float = 0.0
    sum_of_absolutes: float = 0.0
    bins: list[int] = Field(default_factory=lambda: [0] * (len(DIFFERENCE_EDGES) + 1))
    """Comments by absolute difference."""


class Comparison(BaseModel):
    """A challenger beside a champion, on one day."""

    comments: int = 0
    """Scored by both."""
    left_out: int = 0
    """Sampled, but too many waited."""
    failed: int = 0
    """Sampled, but the challenger failed."""
    decisions: dict[str, dict[str, int]] = Field(default_factory=dict)
    """The champion's action → the challenger's → comments."""
    stances: dict[str, dict[str, int]] = Field(default_factory=dict)
    """The champion's stance label → the challenger's → comments with a premise."""
    attributes: dict[str, Difference] = Field(default_factory=dict)


class Observations(BaseModel):
    """Everything that is counted; days are ISO 8601 dates in UTC."""

    scores: dict[str, dict[str, ScoreCounts]] = Field(default_factory=dict)
    """Day → version → counts."""
    shadow: dict[str, dict[str, dict[str, Comparison]]] = Field(default_factory=dict)
    """Day → champion → challenger → comparison."""


def added(several: Iterable[Observations]) -> Observations:
    """Return the sum of the counts of several workers."""
    total: dict[str, Any] = {}
    for one in several:
        total = cast(dict[str, Any], _sum(total, one.model_dump()))
    return Observations.model_validate(total)


def _sum(left: Any, right: Any) -> Any:
    if isinstance(left, dict):
        return left | {name: _sum(left[name], one) if name in left else one for name, one in right.items()}
    if isinstance(left, list):
        return [_sum(one, other) for one, other in zip(left, right, strict=True)]
    return left + right
