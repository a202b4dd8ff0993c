"""Figures by which models are judged."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

__all__ = ["attribute_metrics", "calibration_error", "stance_metrics"]


def calibration_error(probability: ArrayLike, target: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error in [0, 1] over equally wide bins (Guo et al. 2017).

    Args:
        probability: shape (n,), in [0, 1].
        target: shape (n,), 0 or 1.
        bins: number of bins.
    """
    p, y = np.asarray(probability, dtype=float), np.asarray(target, dtype=float)
    if not len(p):
        return float("nan")
    place = np.minimum((p * bins).astype(int), bins - 1)
    sizes = np.bincount(place, minlength=bins)
    gaps = np.abs(np.bincount(place, p, bins) - np.bincount(place, y, bins))
    return float(gaps[sizes > 0].sum() / len(p))


def attribute_metrics(probability: NDArray[np.float64], target: NDArray[np.float64]) -> dict[str, Any]:
    """Figures of one attribute over the rows where it is known (not NaN).

    Returns:
        n, positives; where there is a row, ece; where both classes occur, roc_auc, average_precision.
    """
    known = ~np.isnan(target)
    p, y = probability[known], target[known].astype(int)
    found: dict[str, Any] = {"n": len(y), "positives": int(y.sum())}
    if len(y):
        found["ece"] = _figure(calibration_error(p, y))
    if len(np.unique(y)) == 2:
        found["roc_auc"] = _figure(roc_auc_score(y, p))
        found["average_precision"] = _figure(average_precision_score(y, p))
    return found


def stance_metrics(
    probability: NDArray[np.float64], labels: Sequence[str], classes: Sequence[str], floor: float
) -> dict[str, Any]:
    """Figures of stance over related pairs.

    Args:
        probability: shape (n, 3), columns as in `classes`.
        labels: n of `classes`.
        classes: names of the columns; "agree" and "disagree" among them.
        floor: confidence from which a label counts as decided.

    Returns:
        n; macro_f1 and accuracy of the likeliest class over the classes that occur; agree_disagree_auc
        over the rows with one of these labels; ece of the likeliest class; decided (share at or above
        the floor) and decided_accuracy; majority_macro_f1, what always saying the commonest would reach.
    """
    names = np.array(classes)
    truth = np.array(labels)
    likeliest = names[probability.argmax(axis=1)]
    confidence = probability.max(axis=1)
    decided = confidence >= floor
    occurring = [name for name in classes if name in set(labels)]
    commonest = max(occurring, key=lambda name: int((truth == name).sum()))
    right = likeliest == truth
    found: dict[str, Any] = {
        "n": len(truth),
        "labels": {name: int((truth == name).sum()) for name in occurring},
        "macro_f1": _figure(f1_score(truth, likeliest, labels=occurring, average="macro", zero_division=0)),
        "majority_macro_f1": _figure(
            f1_score(truth, [commonest] * len(truth), labels=occurring, average="macro", zero_division=0)
        ),
        "accuracy": _figure(right.mean()),
        "ece": _figure(calibration_error(confidence, right)),
        "decided": _figure(decided.mean()),
        "decided_accuracy": _figure(right[decided].mean()) if decided.any() else None,
    }
    sided = np.isin(truth, ("agree", "disagree"))
    if {"agree", "disagree"} <= set(occurring):
        agree = probability[sided, list(classes).index("agree")]
        disagree = probability[sided, list(classes).index("disagree")]
        side = np.where(agree >= disagree, "agree", "disagree")
        found["agree_disagree_auc"] = _figure(roc_auc_score(truth[sided] == "agree", agree - disagree))
        found["agree_disagree_macro_f1"] = _figure(f1_score(truth[sided], side, average="macro"))
    return found


def _figure(value: float) -> float:
    return round(float(value), 4)
