"""In-process speed of the shipped models against scikit-learn's usual pipeline, on one thread."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from data.examples import load_examples
from models import Bundle
from models.evidence import sentences

__all__ = ["measure_scoring"]

_COMMENTS = 2_000
_CHARACTERS = 350
_SLOW = 200  # comments in batch where the encoder reads some


def measure_scoring(bundle: Bundle) -> list[dict[str, Any]]:
    """Return one row a measurement: what, comments a second, milliseconds for one, ratio to the reference.

    The texts are sentences of the project's example comments, put together anew to about 350 characters.
    The reference is TF-IDF of words (1, 2) and characters (2 to 5) with logistic regression, fitted here;
    its small vocabulary flatters it. `benchmarks.peers` measures both on real comments.
    """
    threads = load_examples()
    pairs = [(t.article.premise, c.text) for t in threads for c in t.comments]
    texts = _recombined([text for _, text in pairs])
    reference = _reference([text for _, text in pairs])
    rows = [
        _row("reference pipeline, batch", len(texts), lambda: reference.predict_proba(texts)),
        _row("civility fast, batch", len(texts), lambda: bundle.civility.predict_proba(texts, share=0.0)),
        _row("civility default, batch", _SLOW, lambda: bundle.civility.predict_proba(texts[:_SLOW])),
    ]
    for row in rows[1:]:
        row["ratio"] = round(row["per_second"] / rows[0]["per_second"], 2)
    singles = [
        _single("reference pipeline, one comment", pairs, lambda pair: reference.predict_proba([pair[1]])),
        _single(
            "civility fast, one comment",
            pairs,
            lambda pair: bundle.civility.predict_proba([pair[1]], share=0.0),
        ),
        _single(
            "civility default, one comment", pairs, lambda pair: bundle.civility.predict_proba([pair[1]])
        ),
        _single("stance, one comment", pairs, lambda pair: bundle.stance.assess([pair])),
    ]
    for row in singles[1:3]:
        row["ratio"] = round(singles[0]["p50_ms"] / row["p50_ms"], 1)
    return rows + singles


def _recombined(comments: Sequence[str]) -> list[str]:
    chance = random.Random(1)
    parts = [part for comment in comments for part in sentences(comment)]
    texts: list[str] = []
    while len(texts) < _COMMENTS:
        text = chance.choice(parts)
        while len(text) < _CHARACTERS:
            text += " " + chance.choice(parts)
        texts.append(text)
    return texts


def _reference(texts: Sequence[str]) -> Any:
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    )
    labels = np.arange(len(texts)) % 2
    return make_pipeline(features, LogisticRegression()).fit(texts, labels)


def _row(what: str, size: int, work: Callable[[], object]) -> dict[str, Any]:
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return {"what": what, "per_second": round(size / min(times))}


def _single(
    what: str, pairs: Sequence[tuple[str, str]], work: Callable[[tuple[str, str]], object]
) -> dict[str, Any]:
    times = []
    for pair in pairs:
        begin = time.perf_counter()
        work(pair)
        times.append(time.perf_counter() - begin)
    p50, p95 = np.percentile(np.array(times) * 1000, (50, 95))
    return {"what": what, "p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}
