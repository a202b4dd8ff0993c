"""How often a bundle's labels are wrong, as its manifest states it.

`metrics.stance.confusion` and `metrics.civility.confusion` of a manifest hold held-out counts::

    {"split": "test", "sources": ["arc"],
     "counts": {"agree":    {"agree": 60, "disagree": 9, "neutral": 6, "uncertain": 75},
                "disagree": {...}, "neutral": {...}}}

    {"split": "test", "sources": ["jigsaw-toxic-comments"], "threshold": 0.5,
     "counts": {"civil": {"civil": 13900, "uncivil": 444}, "uncivil": {...}}}

The outer keys are true labels, the inner ones what the bundle said with its own floor ("uncertain") or
with TOXICITY at `threshold`. Labels that never came may be left out of the inner objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

__all__ = ["CIVILITIES", "LABELS", "STANCES_TOLD", "ErrorRates", "error_rates_of"]

STANCES_TOLD = ("agree", "disagree", "neutral", "uncertain")
CIVILITIES = ("civil", "uncivil")
LABELS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "stance": (("agree", "disagree", "neutral"), STANCES_TOLD),
    "civility": (CIVILITIES, CIVILITIES),
}
"""Kind of judgement → true labels, and labels that a model gives."""

_DEFAULT_THRESHOLD = 0.5
_Count = Annotated[int, Field(ge=0)]


class _Confusion(BaseModel):
    split: str = "test"
    sources: list[str] = []
    threshold: float = Field(default=_DEFAULT_THRESHOLD, gt=0, lt=1)
    counts: dict[str, dict[str, _Count]]


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """A confusion matrix.

    Attributes:
        counts: (true labels, given labels), held-out rows; both in the order of `LABELS`.
        threshold: from which TOXICITY a comment counts as uncivil; of no meaning for the stance.
        basis: what they were measured on, for people.
    """

    counts: NDArray[np.float64]
    threshold: float
    basis: str


def error_rates_of(metrics: Mapping[str, Any], kind: str) -> ErrorRates | None:
    """Return the error rates in a manifest's metrics, or None where it states none that can be used.

    Args:
        metrics: the manifest's.
        kind: "stance" or "civility".
    """
    of_kind = metrics.get(kind)
    try:
        found = _Confusion.model_validate(of_kind.get("confusion") if isinstance(of_kind, dict) else None)
    except ValidationError:
        return None
    truths, told = LABELS[kind]
    if set(found.counts) != set(truths) or any(set(row) - set(told) for row in found.counts.values()):
        return None
    counts = np.array(
        [[found.counts[truth].get(label, 0) for label in told] for truth in truths], dtype=float
    )
    if not (counts.sum(axis=1) > 0).all():
        return None
    sources = ", ".join(found.sources) or "unnamed data"
    return ErrorRates(counts, found.threshold, f"{sources} ({found.split} split)")
