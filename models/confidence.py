"""How sure a classifier may be: a temperature for its logits, and the confidence from which it decides."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

__all__ = ["abstention_floor", "best_temperature"]

_FEWEST_DECIDED = 30


def best_temperature(
    logits: NDArray[np.float64], target: NDArray[np.int64], weights: NDArray[np.float64]
) -> float:
    """Return the divisor of `logits`, 0.25 to 8, that minimises the weighted log loss (Guo et al. 2017).

    Args:
        logits: shape (n, n_classes), of rows that the classifier has not seen.
        target: shape (n,), the true columns.
        weights: shape (n,), positive.
    """
    tried = np.geomspace(0.25, 8, 101)
    losses = [_log_loss(softmax(logits / temperature, axis=1), target, weights) for temperature in tried]
    return float(tried[int(np.argmin(losses))])


def abstention_floor(
    probabilities: NDArray[np.float64],
    target: NDArray[np.int64],
    weights: NDArray[np.float64],
    groups: NDArray[np.str_],
    precision: float,
) -> float:
    """Return the lowest confidence from which `precision` of labels are right, less one standard error.

    The error is that of a ratio of groups' totals (Cochran 1977, Sampling Techniques): labels of one debate
    tend to be right or wrong together, and the lowest confidence that happens to suffice is a lucky one.

    Args:
        probabilities: shape (n, n_classes), of rows that the classifier has not seen.
        target: shape (n,), the true columns.
        weights: shape (n,), not negative; rows of weight 0 do not count.
        groups: shape (n,), names of what is right or wrong together.
        precision: in [0, 1].

    Returns:
        A confidence in [0, 1], 1.0 where no confidence suffices for at least thirty rows.
    """
    counted = weights > 0
    confidence = probabilities[counted].max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = (probabilities[counted].argmax(axis=1) == target[counted])[order]
    weight, group = weights[counted][order], groups[counted][order]
    share_right = np.cumsum(right * weight) / np.cumsum(weight)
    error = _errors(right * weight, weight, group)
    many = np.arange(len(right)) + 1 >= _FEWEST_DECIDED
    enough = np.flatnonzero((share_right - error >= precision) & many)
    return float(confidence[order][enough[-1]]) if len(enough) else 1.0


def _errors(
    hits: NDArray[np.float64], weight: NDArray[np.float64], groups: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Return for the first row, the first two and so on the standard error of hits to weight."""
    names, places = np.unique(groups, return_inverse=True)
    of_group = np.zeros((len(names), 2))  # hits and weight so far
    total, squares = np.zeros(2), np.zeros((2, 2))
    found = np.zeros(len(hits))
    for row, place in enumerate(places):
        one, added = of_group[place], np.array([hits[row], weight[row]])
        squares += np.outer(one + added, one + added) - np.outer(one, one)
        of_group[place] += added
        total += added
        residual = np.array([1.0, -total[0] / total[1]])  # a group's hits less what its weight let expect
        found[row] = max(0.0, residual @ squares @ residual) ** 0.5 / total[1]
    return found


def _log_loss(
    probabilities: NDArray[np.float64], target: NDArray[np.int64], weights: NDArray[np.float64]
) -> float:
    likelihood = np.clip(probabilities[np.arange(len(target)), target], 1e-12, 1)
    return float(np.average(-np.log(likelihood), weights=weights))
