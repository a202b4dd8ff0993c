"""How probable a loss is by chance alone, where two models are judged on the same rows.

Each function returns the one-sided probability of a loss as large or larger if the challenger lost
nothing: small where the loss is real, 0.5 where there is none, above it where something was won.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm, rankdata

__all__ = ["auc_error", "auc_loss_by_chance", "figure_loss_by_chance", "rate_loss_by_chance"]

_DRAWS = 300


def auc_loss_by_chance(
    positive: NDArray[np.bool_], before: NDArray[np.float64], after: NDArray[np.float64]
) -> float:
    """Return it for the area under the ROC curve, by the test for correlated areas (DeLong et al. 1988).

    Args:
        positive: shape (n,), at least two rows of each class.
        before: shape (n,), the champion's scores.
        after: shape (n,), the challenger's.
    """
    by_positive, by_negative = (
        one - other
        for one, other in zip(_placements(positive, before), _placements(positive, after), strict=True)
    )
    return _one_sided(float(by_positive.mean()), _error(by_positive, by_negative))


def auc_error(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return the standard error of one area under the ROC curve; arguments as for `auc_loss_by_chance`."""
    return _error(*_placements(positive, score))


def rate_loss_by_chance(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    """Return it for a share of right answers, exactly, from the rows that changed (McNemar 1947).

    Args:
        before: shape (n,), whether the champion is right.
        after: shape (n,), whether the challenger is.
    """
    lost, won = int((before & ~after).sum()), int((after & ~before).sum())
    if lost + won == 0:
        return 1.0
    return float(binomtest(lost, lost + won, 0.5, alternative="greater").pvalue)


def figure_loss_by_chance(
    loss: Callable[[NDArray[np.intp]], float], groups: Sequence[str], seed: int
) -> float:
    """Return it for any figure, from the spread of its loss over bootstrap samples of groups of rows.

    Args:
        loss: places of rows, repeated where a group is drawn again → by how much the challenger is worse.
        groups: shape (n,): rows that must be drawn together, such as those on one premise.
        seed: of the draws.
    """
    numbers = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    order = np.argsort(numbers, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(numbers))[:-1])
    chance = np.random.default_rng(seed)
    drawn = [
        loss(np.concatenate([members[group] for group in chance.integers(0, len(members), len(members))]))
        for _ in range(_DRAWS)
    ]
    return _one_sided(loss(np.arange(len(numbers))), float(np.nanstd(drawn, ddof=1)))


def _placements(
    positive: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each positive row the share of negative ones below it, and the reverse (Sun and Xu 2014)."""
    ranks, negative = rankdata(score), ~positive
    below = (ranks[positive] - rankdata(score[positive])) / negative.sum()
    above = 1 - (ranks[negative] - rankdata(score[negative])) / positive.sum()
    return below, above


def _error(by_positive: NDArray[np.float64], by_negative: NDArray[np.float64]) -> float:
    variance = by_positive.var(ddof=1) / len(by_positive) + by_negative.var(ddof=1) / len(by_negative)
    return float(np.sqrt(variance))


def _one_sided(loss: float, error: float) -> float:
    if error == 0:
        return 0.0 if loss > 0 else 1.0
    return float(norm.sf(loss / error))
