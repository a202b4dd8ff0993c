"""Stance adapted to one article or one community, from a few comments that somebody labelled there."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from models.stance import STANCES

__all__ = ["StanceAdaptation"]

_LEAST = 1e-6
_K = len(STANCES)


class StanceAdaptation(BaseEstimator):
    """Probabilities of the general model → probabilities for one article or one community.

    With log-probabilities z, centred in each row, the adapted ones are softmax(z + b + z D): `b` shifts the
    priors (Saerens et al. 2002), `D` corrects what the model confuses there. Both maximise the likelihood
    of the labelled comments less `prior_strength` / 2 |b|² and `slope_strength` / 2 |D|², so that no label
    leaves the general model as it is, and each one moves it a little.

    Args:
        prior_strength: how strongly the shift of priors is shrunk to none, > 0.
        slope_strength: how strongly the linear correction is shrunk to none, > 0.

    Attributes:
        shift_: float64, shape (3,): b, in log-odds, columns as in `STANCES`.
        slope_: float64, shape (3, 3): D.
        n_labels_: comments it was fitted on.
    """

    def __init__(self, prior_strength: float = 2.0, slope_strength: float = 30.0) -> None:
        self.prior_strength = prior_strength
        self.slope_strength = slope_strength

    def fit(self, probabilities: ArrayLike, y: Sequence[str], sample_weight: ArrayLike | None = None) -> Self:
        """Fit on n labelled comments; n may be 0.

        Args:
            probabilities: shape (n, 3): the general model's, columns as in `STANCES`.
            y: n of `STANCES`.
            sample_weight: shape (n,), positive.

        Raises:
            ValueError: wrong shapes, a label that is not a stance, or strengths that are not positive.
        """
        if min(self.prior_strength, self.slope_strength) <= 0:
            raise ValueError("prior_strength and slope_strength must be above 0")
        labels = list(y)
        unknown = set(labels) - set(STANCES)
        if unknown:
            raise ValueError(f"labels must be of {STANCES}, got {min(unknown)!r}")
        logits = _centred(probabilities, len(labels))
        weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        if weights.shape != (len(labels),):
            raise ValueError(f"sample_weight must have shape ({len(labels)},), got {weights.shape}")
        target = np.eye(_K)[[STANCES.index(label) for label in labels]].reshape(-1, _K)
        strengths = np.repeat([self.prior_strength, self.slope_strength], [_K, _K * _K])

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            adapted = logits + flat[:_K] + logits @ flat[_K:].reshape(_K, _K)
            value = -float((weights[:, None] * target * log_softmax(adapted, axis=1)).sum())
            error = weights[:, None] * (softmax(adapted, axis=1) - target)
            gradient = np.concatenate([error.sum(axis=0), (logits.T @ error).ravel()])
            return value + float(strengths @ flat**2) / 2, gradient + strengths * flat

        found = minimize(loss, np.zeros(_K + _K * _K), jac=True, method="L-BFGS-B").x
        self.shift_, self.slope_ = found[:_K], found[_K:].reshape(_K, _K)
        self.n_labels_ = len(labels)
        return self

    def predict_proba(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Return adapted probabilities, shape as given, rows sum to 1.

        Args:
            probabilities: shape (n, 3): the general model's, columns as in `STANCES`.
        """
        check_is_fitted(self)
        rows = np.asarray(probabilities, dtype=float).reshape(-1, _K)
        logits = _centred(rows, len(rows))
        adapted: NDArray[np.float64] = softmax(logits + self.shift_ + logits @ self.slope_, axis=1)
        return adapted


def _centred(probabilities: ArrayLike, n: int) -> NDArray[np.float64]:
    rows = np.asarray(probabilities, dtype=float).reshape(-1, _K)
    if len(rows) != n:
        raise ValueError(f"probabilities must have shape ({n}, {_K}), got {rows.shape}")
    logs = np.log(np.clip(rows, _LEAST, 1))
    centred: NDArray[np.float64] = logs - logs.mean(axis=1, keepdims=True)
    return centred
