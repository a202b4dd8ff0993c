"""The sections of the report on stance: what is judged, on which rows, and against which baselines."""

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from data import Splits, StanceRow
from data.checks import load_stance_checks
from data.errors import MissingDataError
from models import STANCES, StanceModel
from training.errors import LeftOutError
from training.heldout import reliability
from training.judged import Rows, drawn, figure
from training.metrics import calibration_error, stance_metrics
from training.stance import JUDGED, READERS, judge_stance, judge_threads, stance_splits, threads_by_side
from training.stance_baselines import word_baseline
from training.stance_checks import RELEVANT, check_stance

__all__ = ["STANCE_SECTIONS", "JudgedStance", "remembering", "risk_coverage"]

_UNRELATED = "unrelated"
_REMEMBERED = 200_000
_BASELINE_ROWS = 30_000
_COVERAGES = np.linspace(0.02, 1.0, 50)


def remembering(model: StanceModel) -> StanceModel:
    """Return the same model with an encoder that remembers enough that no section reads a pair again."""
    if model.encoder is None or model.encoder.remembered >= _REMEMBERED:
        return model
    own = copy.copy(model)
    own.encoder = copy.copy(model.encoder).set_params(remembered=_REMEMBERED)
    if hasattr(model, "replies_"):
        own.replies_ = copy.copy(model.replies_)
        own.replies_.encoder = own.encoder
    return own


@dataclass(frozen=True)
class JudgedStance:
    """Everything that a section of the report on stance is made from."""

    model: StanceModel
    rows: Rows

    @property
    def seed(self) -> int:
        """The seed of splits and samples."""
        return self.rows.plan.seed

    @cached_property
    def splits(self) -> Splits[StanceRow]:
        """All rows, by side.

        Raises:
            LeftOutError: a file is not there; sets that quote each other are only split together.
            DataError: a file is malformed.
        """
        try:
            return stance_splits(self.rows.folder, self.rows.plan)
        except MissingDataError as error:
            raise LeftOutError(str(error)) from error

    @cached_property
    def test(self) -> dict[str, list[StanceRow]]:
        """The test rows that are judged, by set: at most as many as `JUDGED` says, and as the sample.

        A set without a related row has no stance to judge, and is not among them.
        """
        by_source: dict[str, list[StanceRow]] = defaultdict(list)
        for row in self.splits.test:
            by_source[row.source].append(row)
        chosen = {
            source: drawn(by_source[source], self.rows.at_most(JUDGED[source]), self.seed)
            for source in sorted(JUDGED.keys() & by_source.keys())
        }
        return {source: rows for source, rows in chosen.items() if _related(rows)}

    @cached_property
    def readers(self) -> "_Answers":
        """The model's answers on the related rows of `READERS`.

        Raises:
            LeftOutError: there are none.
        """
        rows = [row for source in READERS for row in _related(self.test.get(source, []))]
        if not rows:
            raise LeftOutError("no related comments of readers are on the test side")
        found = self.model.predict_proba([(row.premise, row.text) for row in rows])
        return _Answers(rows, found, np.array([row.label for row in rows]))


@dataclass(frozen=True)
class _Answers:
    rows: list[StanceRow]
    probabilities: NDArray[np.float64]
    truth: NDArray[np.str_]

    @property
    def likeliest(self) -> NDArray[np.str_]:
        found: NDArray[np.str_] = np.array(STANCES)[self.probabilities.argmax(axis=1)]
        return found

    @property
    def confidence(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.probabilities.max(axis=1)
        return found

    @property
    def right(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.likeliest == self.truth
        return found

    @property
    def described(self) -> dict[str, Any]:
        sources = [row.source for row in self.rows]
        return {"split": "test", "rows_of": {source: sources.count(source) for source in READERS}}


def risk_coverage(confidence: NDArray[np.float64], right: NDArray[np.bool_], floor: float) -> dict[str, Any]:
    """Return how accuracy falls as less confident labels are given too (El-Yaniv and Wiener 2010).

    Args:
        confidence: shape (n,), n > 0, of each likeliest label.
        right: shape (n,), whether it is right.
        floor: confidence from which the model decides.

    Returns:
        curve: for fifty coverages the share of rows kept, the most confident first, the share right
        among them, and the lowest confidence among them; at_floor: confidence, coverage, and accuracy
        (None where nothing is decided).
    """
    order = np.argsort(-confidence, kind="stable")
    share_right = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    kept = np.unique(np.maximum(np.ceil(_COVERAGES * len(order)).astype(int), 1))
    decided = confidence >= floor
    return {
        "curve": [
            [figure(n / len(order)), figure(share_right[n - 1]), figure(confidence[order[n - 1]])]
            for n in kept.tolist()
        ],
        "at_floor": {
            "confidence": figure(floor),
            "coverage": figure(decided.mean()),
            "accuracy": figure(right[decided].mean()) if decided.any() else None,
        },
    }


def _checks(judged: JudgedStance) -> dict[str, Any]:
    functions = load_stance_checks()
    if not functions:
        raise LeftOutError("no functional checks of stance are here")
    return {
        "split": "written for this project, for judging only",
        "relevant_from": RELEVANT,
        **check_stance(judged.model, functions),
    }


def _held_out(judged: JudgedStance) -> dict[str, Any]:
    rows = [row for of_source in judged.test.values() for row in of_source]
    if not rows:
        raise LeftOutError("no held-out rows")
    missing = sorted(JUDGED.keys() - judged.test.keys())
    return {
        "split": "test",
        "seed": judged.seed,
        "missing": missing,
        "sources": judge_stance(judged.model, rows, judged.seed),
    }


def _baselines(judged: JudgedStance) -> dict[str, Any]:
    """Judge, on the same related rows, the commonest label of each set and a model of words alone."""
    learnt = drawn(_related(judged.splits.train), _BASELINE_ROWS, judged.seed)
    if len({row.label for row in learnt}) < len(STANCES):
        raise LeftOutError("the training split lacks a stance")
    words = word_baseline(learnt)
    found: dict[str, Any] = {}
    for source, rows in judged.test.items():
        related = _related(rows)
        probabilities = words(related)
        found[source] = stance_metrics(probabilities, [row.label for row in related], STANCES, 0.0)
    names = ("n", "macro_f1", "accuracy", "agree_disagree_auc", "agree_disagree_macro_f1")
    return {
        "split": "test",
        "trained_on": {"split": "train", "rows": len(learnt)},
        "majority": {source: {"macro_f1": one["majority_macro_f1"]} for source, one in found.items()},
        "words": {
            source: {name: one[name] for name in names if name in one} for source, one in found.items()
        },
    }


def _threads(judged: JudgedStance) -> dict[str, Any]:
    threads = threads_by_side(judged.rows.plan)["test"]
    found = judge_threads(judged.model, drawn(threads, judged.rows.sample, judged.seed))
    if not found:
        raise LeftOutError("no written thread is on the test side")
    taught = hasattr(judged.model, "chain_")
    return {"split": "test", "has_chain": taught, **found}


def _calibration(judged: JudgedStance) -> dict[str, Any]:
    answers = judged.readers
    return {
        **answers.described,
        "ece": figure(calibration_error(answers.confidence, answers.right)),
        "temperature": figure(judged.model.temperature_),
        "reliability": reliability(answers.confidence, answers.right.astype(float)),
    }


def _risk_coverage(judged: JudgedStance) -> dict[str, Any]:
    answers = judged.readers
    return {
        **answers.described,
        "precision_wanted": figure(judged.model.precision),
        **risk_coverage(answers.confidence, answers.right, judged.model.floor_),
    }


def _confusion(judged: JudgedStance) -> dict[str, Any]:
    """Count the likeliest labels: `rows[i][j]` comments of truth `labels[i]` were called `labels[j]`."""
    answers = judged.readers
    sources = np.array([row.source for row in answers.rows])

    def counted(chosen: NDArray[np.bool_]) -> list[list[int]]:
        truth, found = answers.truth[chosen], answers.likeliest[chosen]
        counts: list[list[int]] = confusion_matrix(truth, found, labels=list(STANCES)).tolist()
        return counts

    return {
        **answers.described,
        "labels": list(STANCES),
        "rows": counted(np.ones(len(sources), dtype=bool)),
        "by_set": {source: counted(sources == source) for source in READERS if (sources == source).any()},
    }


def _related(rows: Sequence[StanceRow]) -> list[StanceRow]:
    return [row for row in rows if row.label != _UNRELATED]


STANCE_SECTIONS: dict[str, Callable[[JudgedStance], dict[str, Any]]] = {
    "checks": _checks,
    "heldOut": _held_out,
    "baselines": _baselines,
    "threads": _threads,
    "calibration": _calibration,
    "riskCoverage": _risk_coverage,
    "confusion": _confusion,
}
"""What the report says of the stance model: a name in metrics.json and the function that measures it.

A section whose data is missing raises `LeftOutError`, and the report notes why.
"""
