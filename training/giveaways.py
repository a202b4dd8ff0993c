"""What premises give away by themselves: readers mostly complain, so most premises that they hold do, too.

An encoder that learns this need not read the comment. Pairs of premises that tell the side without it count
for less, those that mislead for more, as in adversarial filtering (AFLite: Le Bras et al. 2020).
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from data.rows import StanceRow

__all__ = ["blind_weight", "leanings"]

_FOLDS = 5
_MOST = 1.5


def leanings(rows: Sequence[StanceRow]) -> dict[str, float]:
    """Return by premise the log odds of "agree" as its words alone tell them, learnt on other groups.

    Args:
        rows: pairs that agree or disagree; with fewer than five groups of either side nothing is told.
    """
    premises, labels, groups = (
        np.array([getattr(row, name) for row in rows]) for name in ("premise", "label", "group")
    )
    if any(len(set(groups[labels == side])) < _FOLDS for side in ("agree", "disagree")):
        return {}
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(max_iter=500))
    odds = cross_val_predict(
        model, premises, labels == "agree", groups=groups, cv=GroupKFold(_FOLDS), method="decision_function"
    )
    return dict(zip(premises.tolist(), odds.tolist(), strict=True))


def blind_weight(agreed: float, disagreed: float) -> float:
    """Return how much a comment counts that holds one premise and rejects another, from 0 to 1.5.

    Twice the probability of the contrary, given the log odds of "agree" that each premise has by itself: 1
    where they tell nothing.
    """
    return float(min(_MOST, 2 * expit(disagreed - agreed)))
