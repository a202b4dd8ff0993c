"""The reference that drift is measured against: scores of the calibration rows, languages of training."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from data import CivilityRow
from models import ATTRIBUTES
from models.drift import DriftReference, distribution_of
from training.civility_sets import NATURAL

__all__ = ["drift_reference"]


def drift_reference(
    score: Callable[[Sequence[str]], NDArray[np.float64]],
    calibration: Sequence[CivilityRow],
    languages: Mapping[str, int] | None = None,
) -> DriftReference:
    """Return what a bundle's manifest is to carry as `metrics["drift_reference"]` (its `to_dict`).

    Args:
        score: texts → probabilities of the finished civility model, as it is to be served.
        calibration: the calibration rows. Scores are those of the natural sets, in which comments are as
            toxic as they come; of all rows where there are none of these.
        languages: language → rows of training; by default those of `calibration`.

    Raises:
        ValueError: there are no rows.
    """
    natural = [row for row in calibration if row.source in NATURAL] or list(calibration)
    if not natural:
        raise ValueError("a reference of drift needs calibration rows")
    scores = score([row.text for row in natural])
    counted = languages or Counter(row.language for row in calibration)
    total = sum(counted.values())
    return DriftReference(
        rows=len(natural),
        scores={name: distribution_of(scores[:, column]) for column, name in enumerate(ATTRIBUTES)},
        languages={name: round(rows / total, 6) for name, rows in sorted(counted.items())},
    )
