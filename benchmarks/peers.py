"""Civility beside its peers, on the same held-out comments in the same run: quality and speed in one table.

python -m benchmarks.peers --data-dir DIR [--train-rows 50000] [--rows 4000]

Held out are rows of jigsaw-toxic-comments on the test side of `data/splits.toml`. The reference is
scikit-learn's usual pipeline (words (1, 2) and char_wb (2, 5), TF-IDF, logistic regression), fitted here
on training rows of the same set. alt-profanity-check comes with its own weights, trained on a set
that overlaps this one: its figures are flattered. It is left out where the extra `peers` is absent.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline, make_union
from threadpoolctl import threadpool_limits

from data import attribute_matrix, data_dir, load_plan, read_civility, split
from data.checks import load_civility_checks
from models import ATTRIBUTES, latest_bundle, load_bundle

__all__ = ["measure_peers"]

_SOURCE = "jigsaw-toxic-comments"
_TOXICITY = ATTRIBUTES.index("TOXICITY")
_SINGLES = 300
Scores = Callable[[Sequence[str]], NDArray[np.float64]]


def measure_peers(folder: Path, train_rows: int, rows: int) -> list[dict[str, Any]]:
    """Return one row a model: held-out AUC, checks passed, comments a second, milliseconds for one."""
    plan = load_plan()
    parts = split(read_civility(folder, [_SOURCE]), plan)
    chance = random.Random(plan.seed)
    train = chance.sample(parts.train, min(train_rows, len(parts.train)))
    test = chance.sample(parts.test, min(rows, len(parts.test)))
    texts, truth = [row.text for row in test], attribute_matrix(test)[:, _TOXICITY]
    civility = load_bundle(latest_bundle()).civility
    models: dict[str, Scores] = {
        f"reference pipeline, {len(train):,} rows": _reference(
            [row.text for row in train], attribute_matrix(train)[:, _TOXICITY]
        )
    }
    if find_spec("profanity_check") is not None:
        from profanity_check import predict_prob

        models["alt-profanity-check"] = lambda asked: np.asarray(predict_prob(list(asked)))
    models["counterpoint, fast"] = lambda asked: civility.predict_proba(asked, share=0.0)[:, _TOXICITY]
    models["counterpoint, default"] = lambda asked: civility.predict_proba(asked)[:, _TOXICITY]
    found = [_row(name, scores, texts, truth) for name, scores in models.items()]
    for one in found:
        one["ratio"] = round(one["per_second"] / found[0]["per_second"], 1)
        one["ratio_single"] = round(found[0]["p50_ms"] / one["p50_ms"], 1)
    return found


def _reference(texts: Sequence[str], labels: NDArray[np.float64]) -> Scores:
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    )
    model = make_pipeline(features, LogisticRegression(C=4.0, max_iter=200)).fit(texts, labels)
    return lambda asked: np.asarray(model.predict_proba(asked)[:, 1])


def _row(name: str, scores: Scores, texts: Sequence[str], truth: NDArray[np.float64]) -> dict[str, Any]:
    scores(texts[:2])  # sessions and caches start on the first call
    began = time.perf_counter()
    found = scores(texts)
    seconds = time.perf_counter() - began
    singles = []
    for text in texts[:_SINGLES]:
        began = time.perf_counter()
        scores([text])
        singles.append(time.perf_counter() - began)
    return {
        "what": name,
        "auc": round(float(roc_auc_score(truth, found)), 4),
        "checks": _checks(scores),
        "per_second": round(len(texts) / seconds),
        "p50_ms": round(float(np.median(singles)) * 1000, 3),
    }


def _checks(scores: Scores) -> float:
    functions = load_civility_checks()
    civil = [text for one in functions for text in one.civil]
    toxic = [text for one in functions for text in one.toxic]
    passed = np.sum(scores(civil) < 0.5) + np.sum(scores(toxic) >= 0.5)
    return round(float(passed) / (len(civil) + len(toxic)), 3)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Civility beside its peers on the same held-out comments.")
    parser.add_argument("--data-dir", type=Path, default=None, help="default: COUNTERPOINT_DATA_DIR")
    parser.add_argument("--train-rows", type=int, default=50_000, help="of the reference pipeline")
    parser.add_argument("--rows", type=int, default=4_000, help="held-out comments")
    asked = parser.parse_args()
    columns = {
        "what": "",
        "auc": "TOXICITY AUC",
        "checks": "checks passed",
        "per_second": "comments/s",
        "ratio": "times",
        "p50_ms": "p50 ms for one",
        "ratio_single": "times faster",
    }
    table = Table(*columns.values(), title=f"{asked.rows:,} held-out comments of {_SOURCE}, one thread")
    with threadpool_limits(1):
        for row in measure_peers(data_dir(asked.data_dir), asked.train_rows, asked.rows):
            table.add_row(*(str(row[name]) for name in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
