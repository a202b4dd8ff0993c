"""The reference that drift is measured against: scores of the calibration rows, languages of training."""

from collections import Counter
from collections.abc import Mapping, Sequence

from data import CivilityRow
from models import ATTRIBUTES, CivilityModel
from models.drift import DriftReference, distribution_of
from training.civility_sets import NATURAL

__all__ = ["drift_reference"]


def drift_reference(
    model: CivilityModel,
    calibration: Sequence[CivilityRow],
    languages: Mapping[str, int] | None = None,
    *,
    share: float | None = None,
) -> DriftReference:
    """Return what a bundle's manifest is to carry as `metrics["drift_reference"]` (its `to_dict`).

    Args:
        model: the finished civility model.
        calibration: the calibration rows. Scores are those of the natural sets, in which comments are as
            toxic as they come; of all rows where there are none of these.
        languages: language → rows of training; by default those of `calibration`.
        share: `encoder_share` with which the bundle is to be served; None for the model's own.

    Raises:
        ValueError: there are no rows.
    """
    natural = [row for row in calibration if row.source in NATURAL] or list(calibration)
    if not natural:
        raise ValueError("a reference of drift needs calibration rows")
    scores = model.predict_proba([row.text for row in natural], share=share)
    counted = languages or Counter(row.language for row in calibration)
    total = sum(counted.values())
    return DriftReference(
        rows=len(natural),
        scores={name: distribution_of(scores[:, column]) for column, name in enumerate(ATTRIBUTES)},
        languages={name: round(rows / total, 6) for name, rows in sorted(counted.items())},
    )
