"""Public benchmarks of stance, by their official splits and scorers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

from data import SplitPlan, StanceRow, load_plan, shipped_catalog, split
from data.readers import read_set
from data.rows import STANCE_LABELS
from models import STANCES, Bundle
from models.stance import StanceScores
from training.errors import ReportError
from training.evaluate import check_split
from training.judged import drawn, figure
from training.metrics import stance_metrics
from training.stance_checks import RELEVANT, stance_labels

__all__ = ["BENCHMARKS", "Benchmark", "fnc_score", "judge_benchmark"]

_UNRELATED = "unrelated"
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A set, which of its rows are judged, and by which scorer.

    Attributes:
        dataset: name in the catalog.
        rows_are: which rows are judged, in words.
        labels_are: how the model's answer becomes the benchmark's label, in words.
        choose: all rows of the set, and how rows are split → those that are judged.
        score: their labels and the model's answers → the figures.
        published: figures of others, in words; empty where none is stated.
    """

    dataset: str
    rows_are: str
    labels_are: str
    choose: Callable[[list[StanceRow], SplitPlan], list[StanceRow]]
    score: Callable[[Sequence[str], StanceScores], dict[str, Any]]
    published: str = ""


def fnc_score(truth: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """Score as stage 1 of the Fake News Challenge does.

    A pair rightly told related or unrelated earns 0.25, a related one with the right stance 0.75 more.

    Args:
        truth: n labels of `STANCE_LABELS`.
        found: n labels of `STANCE_LABELS`.

    Returns:
        points; most, what the truth itself would earn; weighted, the percentage of it in [0, 100].
    """
    points = most = 0.0
    for true, said in zip(truth, found, strict=True):
        related = true != _UNRELATED
        most += 1.0 if related else 0.25
        if related == (said != _UNRELATED):
            points += 0.25 + 0.75 * (related and true == said)
    return {"points": points, "most": most, "weighted": figure(100 * points / most) if most else 0.0}


def judge_benchmark(
    bundle: Bundle,
    name: str,
    data_dir: Path,
    *,
    sample: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Judge the bundle's stance model by a public benchmark.

    Every pair is read by the model as it ships; the encoder cuts a long body at its most tokens.

    Args:
        bundle: what is judged.
        name: one of `BENCHMARKS`.
        data_dir: folder of the datasets; only the benchmark's own is needed.
        sample: most rows, drawn by the split's seed; None for all.
        progress: called with the pairs that are judged and their number.

    Returns:
        benchmark, bundle, rows_are, labels_are, published, rows, sample, seed, labels (rows by label),
        and figures.

    Raises:
        ReportError: no row is left, or the model was trained on another split.
        DataError: a file is missing or malformed.
    """
    benchmark, plan = BENCHMARKS[name], load_plan()
    check_split(bundle.manifest, plan, "stance")
    rows = benchmark.choose(read_set(data_dir, shipped_catalog()[benchmark.dataset]), plan)
    rows = drawn(rows, sample, plan.seed)
    if not rows:
        raise ReportError(f"{name}: no row is {benchmark.rows_are}")
    parts = []
    progress(0, len(rows))
    for begin in range(0, len(rows), _BATCH):
        parts.append(bundle.stance.assess([(row.premise, row.text) for row in rows[begin : begin + _BATCH]]))
        progress(min(begin + _BATCH, len(rows)), len(rows))
    scores = StanceScores(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.relevance for part in parts]),
    )
    truth = [row.label for row in rows]
    return {
        "benchmark": name,
        "bundle": bundle.version,
        "rows_are": benchmark.rows_are,
        "labels_are": benchmark.labels_are,
        "published": benchmark.published,
        "rows": len(rows),
        "sample": sample,
        "seed": plan.seed,
        "labels": {label: truth.count(label) for label in STANCE_LABELS if label in truth},
        "figures": benchmark.score(truth, scores),
    }


def _official_test(rows: list[StanceRow], plan: SplitPlan) -> list[StanceRow]:
    return [row for row in rows if row.official_split == "test"]


def _arc_test(rows: list[StanceRow], plan: SplitPlan) -> list[StanceRow]:
    unseen = split(rows, plan).test
    return [row for row in unseen if row.official_split == "test" or row.label != _UNRELATED]


def _fnc(truth: Sequence[str], scores: StanceScores) -> dict[str, Any]:
    found = stance_labels(scores)
    of_label = f1_score(truth, found, labels=list(STANCE_LABELS), average=None, zero_division=0)
    majority = [_UNRELATED] * len(truth)
    return {
        **fnc_score(truth, found.tolist()),
        "macro_f1": figure(of_label.mean()),
        "f1": {label: figure(one) for label, one in zip(STANCE_LABELS, of_label, strict=True)},
        **_relevance(truth, scores),
        "majority_weighted": fnc_score(truth, majority)["weighted"],
        "majority_macro_f1": figure(
            f1_score(truth, majority, labels=list(STANCE_LABELS), average="macro", zero_division=0)
        ),
        "confusion": {
            "labels": list(STANCE_LABELS),
            "rows": confusion_matrix(truth, found, labels=list(STANCE_LABELS)).tolist(),
        },
    }


def _two_sided(truth: Sequence[str], scores: StanceScores) -> dict[str, Any]:
    """Force a side, as benchmarks without a neutral label do; beside it, what the likeliest label gets."""
    found = stance_metrics(scores.probabilities, truth, STANCES, 0.0)
    return {
        "macro_f1": found.get("agree_disagree_macro_f1"),
        "auc": found.get("agree_disagree_auc"),
        "macro_f1_of_likeliest": found["macro_f1"],
        "called_neutral": figure((scores.probabilities.argmax(axis=1) == STANCES.index("neutral")).mean()),
        "majority_macro_f1": found["majority_macro_f1"],
    }


def _arc(truth: Sequence[str], scores: StanceScores) -> dict[str, Any]:
    related = np.array(truth) != _UNRELATED
    labels = [label for label in truth if label != _UNRELATED]
    figures: dict[str, Any] = {}
    if labels:
        found = stance_metrics(scores.probabilities[related], labels, STANCES, 0.0)
        figures = {
            "agree_disagree_auc": found.get("agree_disagree_auc"),
            "agree_disagree_macro_f1": found.get("agree_disagree_macro_f1"),
            "three_class_macro_f1": found["macro_f1"],
            "majority_macro_f1": found["majority_macro_f1"],
        }
    return figures | _relevance(truth, scores)


def _relevance(truth: Sequence[str], scores: StanceScores) -> dict[str, Any]:
    related = np.array(truth) != _UNRELATED
    both = related.any() and not related.all()
    return {"related_auc": figure(roc_auc_score(related, scores.relevance)) if both else None}


_FORCED = "agree where its probability is at least that of disagree, else disagree"

BENCHMARKS: dict[str, Benchmark] = {
    "fnc-1": Benchmark(
        "stance/fnc-1",
        "the official competition_test",
        f"unrelated where relevance is below {RELEVANT:g}, else the likeliest of agree, disagree and "
        "neutral (discuss)",
        _official_test,
        _fnc,
        "the challenge's winners: weighted 82.0, macro-F1 0.58 to 0.60",
    ),
    "ibm-argq": Benchmark(
        "stance/ibm-argq-rank-30k", "the official test set", _FORCED, _official_test, _two_sided
    ),
    "perspectrum": Benchmark(
        "stance/perspectrum", "the official test set", _FORCED, _official_test, _two_sided
    ),
    "arc": Benchmark(
        "stance/arc",
        "of the debates on the test side of data/splits.toml: those of the official test file, and all "
        "related ones (the published files share their debates)",
        f"agree against disagree: {_FORCED}; three classes: the likeliest",
        _arc_test,
        _arc,
    ),
}
"""The benchmarks by their names on the command line."""
