"""Drift: how far scores and languages of today are from those that a bundle was calibrated on.

A bundle carries the reference in its manifest, under `metrics`, as `DriftReference.to_dict` writes it.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import ManifestError

__all__ = [
    "DRIFT_REFERENCE",
    "Distribution",
    "DriftReference",
    "distribution_of",
    "language_bins",
    "psi",
    "psi_by_chance",
]

DRIFT_REFERENCE = "drift_reference"
"""Name of the section in the manifest's metrics."""

_QUANTILES = (*(i / 10 for i in range(1, 10)), 0.95, 0.99)  # a rise of the worst comments is seen too
_DECIMALS = 4  # as scores are answered
_LEAST_SHARE = 1e-4
_DRAWS, _SEED = 2_000, 20261124


@dataclass(frozen=True, slots=True)
class Distribution:
    """Shares of scores in bins: below the first edge, between two (the lower one included), from the last on.

    Attributes:
        edges: k - 1 ascending scores in [0, 1].
        shares: k shares that sum to 1.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    def bin_of(self, score: float) -> int:
        """Return the number of the bin of a score, from 0."""
        return bisect_right(self.edges, score)


@dataclass(frozen=True, slots=True)
class DriftReference:
    """What the comments of calibration are like.

    Attributes:
        rows: how many comments.
        scores: attribute → distribution of its scores, for the language of most comments, English.
        languages: ISO 639 code → share of the training comments.
    """

    rows: int
    scores: dict[str, Distribution]
    languages: dict[str, float]

    @classmethod
    def of(cls, version: str, metrics: Mapping[str, Any]) -> Self | None:
        """Return the reference that a bundle carries in the metrics of its manifest, None where it has none.

        Raises:
            ManifestError: the section is not as `to_dict` writes it.
        """
        found = metrics.get(DRIFT_REFERENCE)
        if found is None:
            return None
        try:
            scores = {
                str(name): Distribution(tuple(map(float, one["edges"])), tuple(map(float, one["shares"])))
                for name, one in found["scores"].items()
            }
            languages = {str(name): float(share) for name, share in found["languages"].items()}
            rows = int(found["rows"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ManifestError(f"{version}: {DRIFT_REFERENCE} is malformed: {error!r}") from error
        for name, one in scores.items():
            if len(one.shares) != len(one.edges) + 1 or sorted(one.edges) != list(one.edges):
                raise ManifestError(f"{version}: {DRIFT_REFERENCE} of {name} is malformed")
        return cls(rows, scores, languages)

    def to_dict(self) -> dict[str, Any]:
        """Return the section as plain JSON values."""
        return {
            "rows": self.rows,
            "scores": {
                name: {"edges": list(one.edges), "shares": list(one.shares)}
                for name, one in self.scores.items()
            },
            "languages": self.languages,
        }


def distribution_of(scores: ArrayLike) -> Distribution:
    """Return the distribution of scores in [0, 1], shape (n,), in bins of a tenth, the last one in three.

    Edges that coincide once scores are rounded as in answers are one, so that there may be fewer bins.

    Raises:
        ValueError: there are no scores.
    """
    rounded = np.round(np.asarray(scores, dtype=np.float64), _DECIMALS)
    if not len(rounded):
        raise ValueError("a distribution needs scores")
    edges = np.unique(np.quantile(rounded, _QUANTILES, method="lower"))
    edges = edges[edges > rounded.min()]  # nothing lies below the smallest
    counts = np.bincount(np.searchsorted(edges, rounded, side="right"), minlength=len(edges) + 1)
    shares = counts / len(rounded)
    return Distribution(tuple(edges.tolist()), tuple(np.round(shares, 6).tolist()))


def psi(expected: Sequence[float], counted: Sequence[int]) -> float:
    """Return the population stability index of counts against expected shares, 0 where they agree.

    The sum over the bins of (observed - expected) · ln(observed / expected), Jeffreys' divergence. By
    custom below 0.1 is steady and 0.25 or more a shift. Empty bins count half a comment, and shares of
    less than 0.0001 as that much.

    Raises:
        ValueError: the numbers of bins differ, or nothing is counted.
    """
    total = sum(counted)
    if len(expected) != len(counted) or total < 1:
        raise ValueError(f"{len(expected)} expected shares, {len(counted)} counts of {total} comments")
    return float(_psi(np.array(expected), np.array(counted)))


def psi_by_chance(expected: Sequence[float], comments: int) -> float:
    """Return what the index stays below in 95 of 100 draws of so many comments from the expected shares.

    Drawn (2,000 times, always the same), since the index of a bin of few comments is far from chi-squared.
    """
    shares = np.maximum(np.asarray(expected, dtype=np.float64), 0)
    draws = np.random.default_rng(_SEED).multinomial(comments, shares / shares.sum(), _DRAWS)
    return float(np.quantile(_psi(np.array(expected), draws), 0.95))


def _psi(expected: NDArray[np.float64], counted: NDArray[np.int64]) -> NDArray[np.float64]:
    """The index of counts, shape (..., k), against k expected shares."""
    wanted = np.maximum(expected, _LEAST_SHARE)
    seen = np.maximum(counted, 0.5) / counted.sum(axis=-1, keepdims=True)
    found: NDArray[np.float64] = ((seen - wanted) * np.log(seen / wanted)).sum(axis=-1)
    return found


def language_bins(expected: Mapping[str, float], counted: Mapping[str, int]) -> tuple[list[float], list[int]]:
    """Return shares and counts language by language, those that the reference does not know as one."""
    names = list(expected)
    other = sum(count for name, count in counted.items() if name not in expected)
    return [*(expected[name] for name in names), 0.0], [*(counted.get(name, 0) for name in names), other]
