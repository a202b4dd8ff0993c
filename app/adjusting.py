"""From how many comments a model labels in some way to how many are so: corrected for its known errors.

With rows A of P(given label | true label), the shares q of given labels are q = p A for true shares p. The
p that explains q best is the classic matrix correction (for two labels that of Rogan and Gladen, 1978),
here kept to shares that are none below 0 and sum to 1. The 95 % intervals come from drawing q and the rows
of A anew from what their counts leave open, so that error rates measured on few rows widen them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["Counted", "Estimate", "adjust", "joint_counts", "wilson"]

_Array = NDArray[np.float64]
_PRIOR = 0.5  # Jeffreys'
_RIDGE = 1e-9
_LEAST = 1e-6
_Z = 1.959964
_TAILS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Counted:
    """Comments labelled by one model.

    Attributes:
        told: (given labels,), how many comments have each.
        rows: the factors of the confusion matrix, each (true labels, given labels), held-out rows. With
            several, labels are combinations in the order of `numpy.kron`, errors taken as independent.
    """

    told: _Array
    rows: Sequence[_Array]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Shares of true labels with the ends of their 95 % intervals, each (true labels,), in [0, 1]."""

    share: _Array
    low: _Array
    high: _Array


def adjust(counted: Sequence[Counted], *, draws: int = 1_000, seed: int = 0) -> Estimate:
    """Estimate the shares of true labels over comments that several models may have labelled.

    Args:
        counted: one entry a model, each with at least one comment.
        draws: how many draws the intervals come from.
        seed: the same counts give the same intervals.
    """
    random = np.random.default_rng(seed)
    total = sum(float(one.told.sum()) for one in counted)
    share: _Array | float = 0.0
    drawn: _Array | float = 0.0
    for one in counted:
        weight = float(one.told.sum()) / total
        rates = [rows / rows.sum(axis=1, keepdims=True) for rows in one.rows]
        share = share + weight * _best_shares((one.told / one.told.sum())[None], joint_counts(rates)[None])[0]
        told = random.dirichlet(one.told + _PRIOR, draws)
        each = [_draw_rows(rows, draws, random) for rows in one.rows]
        drawn = drawn + weight * _best_shares(told, joint_counts(each))
    low, high = np.percentile(drawn, _TAILS, axis=0)
    found = np.asarray(share)
    return Estimate(found, np.minimum(low, found), np.maximum(high, found))


def joint_counts(factors: Sequence[_Array]) -> _Array:
    """Return the rates of combined labels, (…, true, given), from those of each factor."""
    joint = factors[0]
    for factor in factors[1:]:
        product = np.einsum("...ab,...cd->...acbd", joint, factor)
        *rest, a, c, b, d = product.shape
        joint = product.reshape(*rest, a * c, b * d)
    return joint


def wilson(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share in [0, 1]."""
    if total == 0:
        return 0.0, 1.0
    share, spread = count / total, _Z * _Z / total
    middle = share + spread / 2
    half = _Z * sqrt(share * (1 - share) / total + spread / total / 4)
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def _draw_rows(rows: _Array, draws: int, random: np.random.Generator) -> _Array:
    return np.stack([random.dirichlet(row + _PRIOR, draws) for row in rows], axis=1)


def _best_shares(told: _Array, rates: _Array) -> _Array:
    """Return the shares, (draws, true), that explain `told` (draws, given) best.

    That is weighted least squares on the simplex: the best of the solutions for each set of labels that
    may be above 0. There are few labels, so all sets are tried.
    """
    draws, labels = told.shape[0], rates.shape[1]
    weights = 1 / np.maximum(told, _LEAST)
    weighted = rates * weights[:, None, :]
    squares = weighted @ rates.transpose(0, 2, 1)
    linear = np.einsum("dkj,dj->dk", weighted, told)
    best: _Array = np.zeros((draws, labels))
    best_error = np.full(draws, np.inf)
    for size in range(1, labels + 1):
        for chosen in combinations(range(labels), size):
            shares = np.zeros((draws, labels))
            shares[:, chosen] = _on_support(squares, linear, list(chosen))
            error = np.einsum("dj,dj->d", (np.einsum("dk,dkj->dj", shares, rates) - told) ** 2, weights)
            better = (shares >= -_RIDGE).all(axis=1) & (error < best_error)
            best[better], best_error[better] = shares[better], error[better]
    positive = np.maximum(best, 0.0)
    return np.asarray(positive / positive.sum(axis=1, keepdims=True), dtype=np.float64)


def _on_support(squares: _Array, linear: _Array, chosen: list[int]) -> _Array:
    draws, size = squares.shape[0], len(chosen)
    system = np.zeros((draws, size + 1, size + 1))
    system[:, :size, :size] = squares[:, chosen][:, :, chosen] + _RIDGE * np.eye(size)
    system[:, :size, size] = system[:, size, :size] = 1
    right = np.ones((draws, size + 1, 1))
    right[:, :size, 0] = linear[:, chosen]
    return np.asarray(np.linalg.solve(system, right)[:, :size, 0], dtype=np.float64)
