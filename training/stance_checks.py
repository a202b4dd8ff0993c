"""The functional checks of stance: what the model must be able to read, one figure a function."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.checks import StanceCase, StanceFunction
from models import STANCES, StanceModel
from models.stance import StanceScores
from training.judged import figure

__all__ = ["RELEVANT", "check_stance", "stance_labels"]

RELEVANT = 0.5
"""Relevance from which a comment counts as bearing on the premise."""

_SIDES = ("agree", "disagree")


def stance_labels(scores: StanceScores) -> NDArray[np.str_]:
    """Return n labels: the likeliest stance, "unrelated" where relevance stays below `RELEVANT`."""
    likeliest = np.array(STANCES)[scores.probabilities.argmax(axis=1)]
    return np.where(scores.relevance >= RELEVANT, likeliest, "unrelated")


def check_stance(model: StanceModel, functions: Sequence[StanceFunction]) -> dict[str, Any]:
    """Return what the model gets right, of all functions and of each.

    Every case is judged, and its mirror: the same comment under the opposite premise. All are read
    in one batch.

    Returns:
        cases, passed and rate count the cases with the right label. `flips` counts mirrored pairs: a
        case whose label takes a side, and its mirror, of which the label is the other side; a pair
        flips where both are right. Cases without a side have nothing to flip and are not among them.
        `failed` holds the places, from 0 within the function, of cases and of mirrors that are wrong:
        texts do not go into a report. `labels` counts the cases by their true label.
    """
    cases = [case for function in functions for case in function.cases]
    mirrors = [case.mirrored for case in cases]
    scores = model.assess([(case.premise, case.text) for case in [*cases, *mirrors]])
    found = stance_labels(scores)
    right = found == np.array([case.label for case in [*cases, *mirrors]])
    own, mirrored = right[: len(cases)], right[len(cases) :]
    by_function, begin = {}, 0
    for function in functions:
        part = slice(begin, begin := begin + len(function.cases))
        by_function[function.name] = {
            "title": function.title,
            **_rates(function.cases, own[part], mirrored[part]),
            "failed": {
                "cases": np.flatnonzero(~own[part]).tolist(),
                "mirrors": np.flatnonzero(~mirrored[part]).tolist(),
            },
        }
    truth = np.array([case.label for case in cases])
    return {
        **_rates(cases, own, mirrored),
        "labels": {str(label): _rate(own[truth == label]) for label in np.unique(truth)},
        "functions": by_function,
    }


def _rates(
    cases: Sequence[StanceCase], own: NDArray[np.bool_], mirrored: NDArray[np.bool_]
) -> dict[str, Any]:
    sided = np.array([case.label in _SIDES for case in cases], dtype=bool)
    flips = _rate((own & mirrored)[sided])
    return {
        **_rate(own),
        "flips": {"pairs": flips["cases"], "flipped": flips["passed"], "rate": flips["rate"]},
    }


def _rate(right: NDArray[np.bool_]) -> dict[str, Any]:
    passed = int(right.sum())
    return {
        "cases": len(right),
        "passed": passed,
        "rate": figure(passed / len(right)) if len(right) else None,
    }
