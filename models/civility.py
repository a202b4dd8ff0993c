"""The civility model: six attributes of one comment, from hashed n-grams and logistic regression."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from models.features import HashedNgrams, check_texts
from models.text import Aligned, align

__all__ = ["ATTRIBUTES", "CivilityModel", "Span"]

ATTRIBUTES = ("TOXICITY", "SEVERE_TOXICITY", "INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK")
"""The attributes in the order of every array's columns; names as in the Perspective API."""

_TOXICITY, _SEVERE = ATTRIBUTES.index("TOXICITY"), ATTRIBUTES.index("SEVERE_TOXICITY")
_SMALLEST_SPAN_SCORE = 0.02
_TOLERANCE = 1e-7  # of the mean loss' gradient: a rare attribute moves it by its prevalence only
_MARKS = r"\s.,!?;:\"'()"
_WORD = re.compile(rf"[^{_MARKS}]+(?:[.,!?;:\"'()]+[^{_MARKS}]+)*")


@dataclass(frozen=True, slots=True)
class Span:
    """A word that raises an attribute.

    `begin` and `end` count code points of the original text, `end` exclusive. `score` in [0, 1] is
    how far the attribute's probability falls when the word's n-grams are taken out of the sum.
    """

    begin: int
    end: int
    attribute: str
    score: float


class CivilityModel(BaseEstimator):
    """Texts → probability of each of the six attributes.

    One L2-regularised logistic regression an attribute over shared features, fitted on the rows
    where that attribute is known, then calibrated by Platt's sigmoid (Platt 1999) where
    `calibrate` is called with held-out texts. SEVERE_TOXICITY never exceeds TOXICITY.

    Args:
        features: an unfitted `HashedNgrams`, cloned by `fit`; None for its defaults.
        C: inverse strength of the regularisation, as in `LogisticRegression`.
        max_iter: most iterations of the solver (L-BFGS).
        n_jobs: attributes fitted at the same time, in threads.

    Attributes:
        features_: the fitted transformer.
        coef_: float32, shape (n_columns, 6).
        intercept_: float64, shape (6,).
        calibration_: float64, shape (6, 2): slope and offset of each attribute's sigmoid.
    """

    def __init__(
        self,
        features: HashedNgrams | None = None,
        C: float = 4.0,
        max_iter: int = 200,
        n_jobs: int | None = None,
    ) -> None:
        self.features = features
        self.C = C
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    def fit(self, X: Sequence[str], y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit every attribute on the rows where it is known.

        Args:
            X: n texts.
            y: shape (n, 6): 0, 1 or NaN for unknown, columns as in `ATTRIBUTES`.
            sample_weight: shape (n,), positive.

        Raises:
            ValueError: wrong shapes, other values, or an attribute with one class only.
        """
        texts = check_texts(X)
        labels = _check_labels(y, len(texts))
        weights = np.ones(len(texts)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        if weights.shape != (len(texts),):
            raise ValueError(f"sample_weight must have shape ({len(texts)},), got {weights.shape}")
        self.features_ = clone(self.features) if self.features is not None else HashedNgrams()
        matrix = self.features_.fit(texts).transform(texts)
        fitted = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self._fit_attribute)(matrix, labels[:, column], weights)
            for column in range(len(ATTRIBUTES))
        )
        self.coef_ = np.column_stack([coef for coef, _ in fitted]).astype(np.float32)
        self.intercept_ = np.array([intercept for _, intercept in fitted])
        self.calibration_ = np.tile([1.0, 0.0], (len(ATTRIBUTES), 1))
        return self

    def calibrate(self, X: Sequence[str], y: ArrayLike) -> Self:
        """Fit each attribute's sigmoid on texts that `fit` has not seen.

        An attribute with fewer than 20 known positive or negative rows keeps its calibration.
        """
        check_is_fitted(self)
        texts = check_texts(X)
        labels = _check_labels(y, len(texts))
        logits = self.decision_function(texts)
        for column in range(len(ATTRIBUTES)):
            known = ~np.isnan(labels[:, column])
            target = labels[known, column]
            if min(np.sum(target == 0), np.sum(target == 1)) < 20:
                continue
            sigmoid = LogisticRegression(C=1e6).fit(logits[known, column, None], target)
            self.calibration_[column] = [sigmoid.coef_[0, 0], sigmoid.intercept_[0]]
        return self

    def decision_function(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Return uncalibrated log-odds, shape (len(X), 6)."""
        check_is_fitted(self)
        return self._logits(self.features_.transform(X))

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Return calibrated probabilities in [0, 1], shape (len(X), 6), columns as in `ATTRIBUTES`."""
        return self._probabilities(self.decision_function(X))

    def explain(self, X: Sequence[str]) -> list[list[Span]]:
        """Return for each text the words that raise an attribute, in order of place.

        Exact for the linear part: a word's share is the sum of its n-grams' terms, an n-gram that
        covers several words being shared by its letters; the row's length is held fixed.
        """
        check_is_fitted(self)
        return [self._explain(text) for text in check_texts(X)]

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is a list of strings."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        tags.target_tags.two_d_labels = True
        tags.requires_fit = True
        return tags

    def _fit_attribute(
        self, matrix: sparse.csr_array, target: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        known = np.flatnonzero(~np.isnan(target))
        if len(np.unique(target[known])) < 2:
            raise ValueError("every attribute needs known rows of both classes")
        model = LogisticRegression(C=self.C, max_iter=self.max_iter, tol=_TOLERANCE)
        rows = matrix if len(known) == matrix.shape[0] else matrix[known]
        model.fit(rows, target[known], sample_weight=weights[known])
        return model.coef_[0], float(model.intercept_[0])

    def _logits(self, matrix: sparse.csr_array) -> NDArray[np.float64]:
        logits: NDArray[np.float64] = (matrix @ self.coef_) + self.intercept_
        return logits

    def _probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        probabilities: NDArray[np.float64] = expit(logits * self.calibration_[:, 0] + self.calibration_[:, 1])
        probabilities[:, _SEVERE] = np.minimum(probabilities[:, _SEVERE], probabilities[:, _TOXICITY])
        return probabilities

    def _explain(self, text: str) -> list[Span]:
        aligned = align(text)
        words = _words_of(aligned.text)
        if not words:
            return []
        logits = self._logits(self.features_.transform([text]))
        shares = self._contributions(text, aligned)
        full = self._probabilities(logits)[0]
        spans = []
        for begin, end in words:
            without = self._probabilities(logits - shares[begin:end].sum(axis=0))[0]
            for column, drop in enumerate(full - without):
                if drop >= _SMALLEST_SPAN_SCORE:
                    origin = int(aligned.origins[begin]), _origin_end(aligned, end)
                    spans.append(Span(*origin, ATTRIBUTES[column], float(drop)))
        return spans

    def _contributions(self, text: str, aligned: Aligned) -> NDArray[np.float64]:
        """Share of each normalised character in each log-odds, shape (len(aligned.text), 6)."""
        found, _ = self.features_.occurrences([aligned.text])
        if not len(found.end):
            return np.zeros((len(aligned.text), len(ATTRIBUTES)))
        row = self.features_.transform([text])
        values = np.zeros(row.shape[1], dtype=np.float64)
        values[row.indices] = row.data
        counts = np.bincount(found.feature, minlength=row.shape[1])
        term: NDArray[np.float64] = (
            self.coef_[found.feature] * (values / np.maximum(counts, 1))[found.feature, None]
        )
        term /= (found.end - found.begin)[:, None]
        by_byte = np.zeros((int(found.end.max()) + 1, len(ATTRIBUTES)))
        np.add.at(by_byte, found.begin, term)
        np.add.at(by_byte, found.end, -term)
        by_byte = np.cumsum(by_byte, axis=0)
        sizes = [len(char.encode()) for char in aligned.text]
        first = 1 + np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)  # the batch begins with a space
        return np.array([by_byte[begin:end].sum(axis=0) for begin, end in pairwise(first)])


def _origin_end(aligned: Aligned, end: int) -> int:
    """Where the original of normalised character end - 1 ends, with what was dropped behind it."""
    last = int(aligned.origins[end - 1]) + 1
    following = int(aligned.origins[end])
    return max(last, following)


def _words_of(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _WORD.finditer(text)]


def _check_labels(y: ArrayLike, n_texts: int) -> NDArray[np.float64]:
    labels = np.asarray(y, dtype=np.float64)
    if labels.shape != (n_texts, len(ATTRIBUTES)):
        raise ValueError(f"y must have shape ({n_texts}, {len(ATTRIBUTES)}), got {labels.shape}")
    if not np.isin(labels[~np.isnan(labels)], (0.0, 1.0)).all():
        raise ValueError("y must hold 0, 1 or NaN for unknown")
    return labels
