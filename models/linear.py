"""A linear model of civility: some attributes of one comment, from hashed n-grams and logistic regression."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from models.evasion import Deobfuscator
from models.features import Floats, HashedNgrams, check_texts
from models.known_words import KnownWords
from models.strings import ReadsStrings

__all__ = ["LinearCivility", "check_labels", "fit_sigmoid"]

_TOLERANCE = 1e-7  # of the mean loss' gradient: a rare attribute moves it by its prevalence only
_FEWEST_FOR_CALIBRATION = 20


class LinearCivility(ReadsStrings, BaseEstimator):
    """Texts → probability of each of some attributes.

    One L2-regularised logistic regression an attribute over shared features, fitted on the rows
    where that attribute is known, then calibrated by Platt's sigmoid (Platt 1999) where
    `calibrate` is called with held-out texts.

    Args:
        attributes: names of the attributes, in the order of every array's columns.
        deobfuscator: an unfitted `Deobfuscator`, cloned by `fit`; None for its defaults.
        features: an unfitted `HashedNgrams`, cloned by `fit`; None for its defaults.
        C: inverse strength of the regularisation, as in `LogisticRegression`.
        max_iter: most iterations of the solver (L-BFGS).
        n_jobs: attributes fitted at the same time, in threads.

    Attributes:
        deobfuscator_, features_: the fitted transformers.
        coef_: float32, shape (n_columns, n_attributes).
        intercept_: float64, shape (n_attributes,).
        calibration_: float64, shape (n_attributes, 2): slope and offset of each attribute's sigmoid.
    """

    has_labels = True

    def __init__(
        self,
        attributes: Sequence[str] = ("TOXICITY",),
        deobfuscator: Deobfuscator | None = None,
        features: HashedNgrams | None = None,
        C: float = 2.0,
        max_iter: int = 200,
        n_jobs: int | None = None,
    ) -> None:
        self.attributes = attributes
        self.deobfuscator = deobfuscator
        self.features = features
        self.C = C
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    def fit(self, X: Sequence[str], y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit every attribute on the rows where it is known.

        Args:
            X: n texts.
            y: shape (n, n_attributes): in [0, 1], NaN for unknown, columns as in `attributes`. Between 0
                and 1 stands the probability that a teacher gives (Hinton et al. 2015).
            sample_weight: shape (n,), positive.

        Raises:
            ValueError: wrong shapes, other values, or an attribute with one class only.
        """
        texts = check_texts(X)
        labels = check_labels(y, (len(texts), len(self.attributes)), soft=True)
        weights = np.ones(len(texts)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        if weights.shape != (len(texts),):
            raise ValueError(f"sample_weight must have shape ({len(texts)},), got {weights.shape}")
        self.deobfuscator_ = clone(self.deobfuscator) if self.deobfuscator is not None else Deobfuscator()
        plain = self.deobfuscator_.fit(texts).transform(texts)
        self.features_ = clone(self.features) if self.features is not None else HashedNgrams()
        self.features_.set_params(normalised=True)
        matrix = self.features_.fit(plain).transform(plain)
        # The matrix is too large to be sent about, so threads fit it whatever joblib's backend is.
        fitted = Parallel(n_jobs=self.n_jobs, require="sharedmem")(
            delayed(self._fit_attribute)(matrix, labels[:, column], weights)
            for column in range(len(self.attributes))
        )
        self.coef_ = np.column_stack([coef for coef, _ in fitted]).astype(np.float32)
        self.intercept_ = np.array([intercept for _, intercept in fitted])
        self.calibration_ = np.tile([1.0, 0.0], (len(self.attributes), 1))
        self._table = self.table(self.coef_)
        return self

    def calibrate(self, X: Sequence[str], y: ArrayLike) -> Self:
        """Fit each attribute's sigmoid on texts that `fit` has not seen.

        An attribute with fewer than 20 known positive or negative rows keeps its calibration.
        """
        check_is_fitted(self)
        texts = check_texts(X)
        labels = check_labels(y, (len(texts), len(self.attributes)))
        logits = self.decision_function(texts)
        for column in range(len(self.attributes)):
            sigmoid = fit_sigmoid(logits[:, column], labels[:, column])
            if sigmoid is not None:
                self.calibration_[column] = sigmoid
        return self

    def decision_function(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Return uncalibrated log-odds, shape (len(X), n_attributes)."""
        check_is_fitted(self)
        return self.logits_of_plain(self.deobfuscator_.transform(check_texts(X)))

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Return calibrated probabilities in [0, 1], shape (len(X), n_attributes)."""
        return self.calibrated(self.decision_function(X))

    def logits_of_plain(self, plain: Sequence[str]) -> NDArray[np.float64]:
        """As `decision_function`, for texts that come from `deobfuscator_`."""
        logits: NDArray[np.float64] = self.features_.project(plain, *self._own_table) + self.intercept_
        return logits

    def calibrated(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of log-odds, same shape."""
        probabilities: NDArray[np.float64] = expit(logits * self.calibration_[:, 0] + self.calibration_[:, 1])
        return probabilities

    def table(self, coef: Floats) -> tuple[Floats, KnownWords]:
        """Return coefficients over the fitted features as `HashedNgrams.project` takes them.

        Args:
            coef: shape (n_columns, k).
        """
        table = self.features_.table(coef)
        return table, self.features_.known_words(self.deobfuscator_.common_pieces, table)

    @property
    def _own_table(self) -> tuple[Floats, KnownWords]:
        if "_table" not in self.__dict__:
            self._table = self.table(self.coef_)
        return self._table

    def __getstate__(self) -> dict[str, Any]:
        """Leave the table out: it is made anew from the coefficients."""
        return {name: value for name, value in super().__getstate__().items() if name != "_table"}

    def _fit_attribute(
        self, matrix: sparse.csr_array, target: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        # A soft target counts as a positive row of that weight and a negative one of the rest.
        positive, negative = (np.flatnonzero(side > 0) for side in (target, 1 - target))
        if not len(positive) or not len(negative):
            raise ValueError("every attribute needs known rows of both classes")
        places = np.concatenate([positive, negative])
        share = np.concatenate([target[positive], 1 - target[negative]])
        model = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=_TOLERANCE)
        model.fit(
            matrix[places],
            np.repeat([1, 0], [len(positive), len(negative)]),
            sample_weight=weights[places] * share,
        )
        return model.coef_[0], float(model.intercept_[0])


def fit_sigmoid(logits: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return slope and offset of Platt's sigmoid over the rows where `target` is known.

    None where fewer than 20 rows are positive or negative.
    """
    known = ~np.isnan(target)
    if min(np.sum(target[known] == 0), np.sum(target[known] == 1)) < _FEWEST_FOR_CALIBRATION:
        return None
    sigmoid = LogisticRegression(C=1e6).fit(logits[known, None], target[known])
    return float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])


def check_labels(y: ArrayLike, shape: tuple[int, int], *, soft: bool = False) -> NDArray[np.float64]:
    """Return labels as float64.

    Raises:
        ValueError: another shape, or values other than NaN and 0 or 1 (in between with `soft`).
    """
    labels = np.asarray(y, dtype=np.float64)
    if labels.shape != shape:
        raise ValueError(f"y must have shape {shape}, got {labels.shape}")
    known = labels[~np.isnan(labels)]
    if soft and not ((known >= 0) & (known <= 1)).all():
        raise ValueError("y must hold values from 0 to 1, or NaN for unknown")
    if not soft and not np.isin(known, (0.0, 1.0)).all():
        raise ValueError("y must hold 0, 1 or NaN for unknown")
    return labels
