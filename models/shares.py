"""Weights so bounded that no source outweighs the others."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bounded_totals", "weights_by_role"]


def bounded_totals(totals: ArrayLike, most: float) -> NDArray[np.float64]:
    """Return min(total, L), shape (n,), so that none is more than a share `most` of their sum.

    Where there are fewer than 1 / `most` of them, each has an equal part at most.

    Args:
        totals: shape (n,), positive.
        most: in (0, 1].
    """
    own = np.asarray(totals, dtype=np.float64)
    bounded: NDArray[np.float64] = np.minimum(own, _level(own, most)) if len(own) else own
    return bounded


def weights_by_role(
    totals: Mapping[str, float],
    moderators: Mapping[str, bool],
    *,
    most_a_source: float,
    most_of_readers: float,
) -> dict[str, float]:
    """Return what each source weighs in sum: bounded among its peers, then readers all together.

    Args:
        totals: source → sum of its weights, positive.
        moderators: source → whether it is a moderator's.
        most_a_source: share of the weight of moderators, and of that of readers, that one may have.
        most_of_readers: share that all who are not moderators may have together, where there are moderators.
    """
    names = list(totals)
    total = np.array([totals[name] for name in names])
    is_moderator = np.array([moderators[name] for name in names], dtype=bool)
    allowed = total.copy()
    for peers in (is_moderator, ~is_moderator):
        allowed[peers] = bounded_totals(total[peers], most_a_source)
    by_moderators, by_readers = allowed[is_moderator].sum(), allowed[~is_moderator].sum()
    if by_moderators and by_readers > most_of_readers * (by_moderators + by_readers):
        fitting = most_of_readers / max(1 - most_of_readers, 1e-9) * by_moderators
        allowed[~is_moderator] *= fitting / by_readers
    return dict(zip(names, allowed.tolist(), strict=True))


def _level(totals: NDArray[np.float64], most: float) -> float:
    """Return the L of `bounded_totals`."""
    share = max(most, 1 / len(totals))
    descending = np.sort(totals)[::-1]
    for capped in range(len(descending)):
        if capped * share >= 1:
            break
        level = share * descending[capped:].sum() / (1 - capped * share)
        if descending[capped] <= level * (1 + 1e-9):
            return float(level) if capped else float(descending[0])
    return float(descending[-1])
