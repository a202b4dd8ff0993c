"""Figures on the test split by source and attribute, with what their plots need."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from data import CivilityRow, attribute_matrix
from models import ATTRIBUTES
from training.civility_sets import CIVILITY_SOURCES, TRAIN_ONLY
from training.errors import LeftOutError
from training.judged import Judged, Variant, figure
from training.metrics import attribute_metrics

__all__ = ["MAIN_SOURCE", "curves", "held_out", "histogram", "reliability"]

MAIN_SOURCE = "jigsaw-toxic-comments"
"""The one set in which all six attributes are known: its curves are kept, and its mean AUC."""

_FALSE_POSITIVE_RATES = np.concatenate([[0.0], np.logspace(-4, 0, 49)])
_RECALLS = np.linspace(0.02, 1.0, 50)


def held_out(judged: Judged) -> dict[str, Any]:
    """Return the figures of every set of the recipe that is at hand.

    Returns:
        split, seed, missing (sets that are not here), and by variant: mean_auc (of the attributes of
        jigsaw-toxic-comments) and by source rows and the figures of each attribute that is known.

    Raises:
        LeftOutError: no set is here.
    """
    by_source, missing, reason = {}, [], ""
    for source in CIVILITY_SOURCES:
        if source in TRAIN_ONLY:
            continue
        try:
            rows = judged.rows.side(source)
        except LeftOutError as error:
            missing.append(source)
            reason = reason or str(error)
        else:
            if rows:
                by_source[source] = rows
    if (missing and judged.rows.data_dir is None) or not by_source:
        raise LeftOutError(reason or "no held-out rows")
    return {
        "split": "test",
        "seed": judged.seed,
        "missing": missing,
        "variants": {variant.name: _of_variant(variant, by_source) for variant in judged.variants},
    }


def reliability(probability: NDArray[np.float64], target: NDArray[np.float64]) -> list[list[float]]:
    """Return for each of ten equally wide bins that is not empty: mean probability, share positive, rows."""
    place = np.minimum((probability * 10).astype(int), 9)
    return [
        [figure(probability[place == b].mean()), figure(target[place == b].mean()), int((place == b).sum())]
        for b in range(10)
        if (place == b).any()
    ]


def histogram(probability: NDArray[np.float64], target: NDArray[np.float64]) -> dict[str, list[int]]:
    """Return the rows in twenty equally wide bins of probability, negative and positive ones apart."""
    return {
        name: np.histogram(probability[target == label], bins=20, range=(0, 1))[0].tolist()
        for name, label in (("negative", 0), ("positive", 1))
    }


def curves(probability: NDArray[np.float64], target: NDArray[np.float64]) -> dict[str, list[list[float]]]:
    """Return fifty points of the ROC (false-positive rate, recall) and of precision at a recall."""
    false_positives, recall, _ = roc_curve(target, probability)
    roc = np.interp(_FALSE_POSITIVE_RATES, false_positives, recall)
    precision, recalled, _ = precision_recall_curve(target, probability)
    at = np.searchsorted(recalled[::-1], _RECALLS - 1e-12)
    return {
        "roc": _points(_FALSE_POSITIVE_RATES, roc),
        "precision_recall": _points(_RECALLS, precision[::-1][at]),
    }


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    return [[round(float(one), 5), round(float(other), 5)] for one, other in zip(x, y, strict=True)]


def _of_variant(variant: Variant, by_source: dict[str, list[CivilityRow]]) -> dict[str, Any]:
    sources = {source: _of_source(variant, source, rows) for source, rows in by_source.items()}
    main = sources.get(MAIN_SOURCE, {})
    aucs = [main[name]["roc_auc"] for name in ATTRIBUTES if "roc_auc" in main.get(name, {})]
    return {"mean_auc": figure(np.mean(aucs)) if len(aucs) == len(ATTRIBUTES) else None, "sources": sources}


def _of_source(variant: Variant, source: str, rows: list[CivilityRow]) -> dict[str, Any]:
    probabilities, truth = variant([row.text for row in rows]), attribute_matrix(rows)
    found: dict[str, Any] = {"rows": len(rows)}
    for column, name in enumerate(ATTRIBUTES):
        known = ~np.isnan(truth[:, column])
        probability, target = probabilities[known, column], truth[known, column]
        if not known.any():
            continue
        one = found[name] = attribute_metrics(probability, target)
        one["positive_at_half"] = figure((probability >= 0.5).mean())
        if source == MAIN_SOURCE or name == "TOXICITY":
            one["reliability"] = reliability(probability, target)
            one["histogram"] = histogram(probability, target)
        if source == MAIN_SOURCE and "roc_auc" in one:
            one["curves"] = curves(probability, target)
    return found
