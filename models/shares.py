"""Weights so bounded that no source outweighs the others."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bounded_totals", "weights_by_role"]

_Source = TypeVar("_Source", bound=Hashable)


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
    totals: Mapping[_Source, float],
    moderators: Mapping[_Source, bool],
    *,
    most_a_source: float,
    most_of_readers: float,
    senders: Mapping[_Source, Hashable] | None = None,
) -> dict[_Source, float]:
    """Return what each source weighs in sum: bounded among its peers, then readers all together.

    Who sends for several sources is bounded as one: no sender gains by more names.

    Args:
        totals: source → sum of its weights, positive.
        moderators: source → whether it is a moderator's.
        most_a_source: share of the weight of moderators, and of that of readers, that one may have.
        most_of_readers: share that all who are not moderators may have together, where there are moderators.
        senders: source → who sends for it; each of the others sends for itself.
    """
    names = list(totals)
    total = np.array([totals[name] for name in names])
    is_moderator = np.array([moderators[name] for name in names], dtype=bool)
    sender = [(True, senders[name]) if senders and name in senders else (False, name) for name in names]
    allowed = total.copy()
    for peers in (is_moderator, ~is_moderator):
        allowed[peers] = bounded_totals(total[peers], most_a_source)
        if senders:
            own = [sender[place] for place in np.flatnonzero(peers)]
            allowed[peers] *= _sender_factors(own, allowed[peers], most_a_source)
    by_moderators, by_readers = allowed[is_moderator].sum(), allowed[~is_moderator].sum()
    if by_moderators and by_readers > most_of_readers * (by_moderators + by_readers):
        fitting = most_of_readers / max(1 - most_of_readers, 1e-9) * by_moderators
        allowed[~is_moderator] *= fitting / by_readers
    return dict(zip(names, allowed.tolist(), strict=True))


def _sender_factors(
    senders: Sequence[Hashable], totals: NDArray[np.float64], most: float
) -> NDArray[np.float64]:
    """Return what is left of each of n sources, shape (n,), so that no sender has more than `most`."""
    order: dict[Hashable, int] = {}
    places = np.array([order.setdefault(sender, len(order)) for sender in senders], dtype=int)
    sums = np.bincount(places, weights=totals)
    factors: NDArray[np.float64] = (bounded_totals(sums, most) / sums)[places]
    return factors


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
