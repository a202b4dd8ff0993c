"""What a reply's place in a thread says: who disagrees with a disagreeing parent may well agree."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHAIN", "chain_features"]

CHAIN = ("own", "own_neutral", "implied", "implied_where_own_is_weak", "reply_neutral", "parent_neutral")
"""The columns of `chain_features`, in order."""

_LEAST = 1e-3


def chain_features(
    own: NDArray[np.float64], parent: NDArray[np.float64], reply: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what the chain knows of n replies' stance to the premise, shape (n, len(CHAIN)).

    "implied" is the log-odds of agreeing against disagreeing with the premise if a reply takes its
    parent's side where it agrees with the parent, and the other where it disagrees.

    Args:
        own: the reply's probabilities towards the premise, shape (n, 3): agree, disagree, neutral.
        parent: the parent's towards the premise.
        reply: the reply's towards the parent.
    """
    same = parent[:, 0] * reply[:, 0] + parent[:, 1] * reply[:, 1] + _LEAST
    other = parent[:, 0] * reply[:, 1] + parent[:, 1] * reply[:, 0] + _LEAST
    implied = np.log(same / other)
    margin = np.log((own[:, 0] + _LEAST) / (own[:, 1] + _LEAST))
    return np.column_stack(
        [margin, own[:, 2], implied, implied * (1 - own[:, :2].max(axis=1)), reply[:, 2], parent[:, 2]]
    )
