"""Baselines of stance that do not read premise and comment together: words, and sentence vectors."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from data import StanceRow
from models.encoder import cutting_tokenizer
from training.finetuning import BASE, require_extra

__all__ = ["Baseline", "vector_baseline", "word_baseline"]

Baseline = Callable[[Sequence[StanceRow]], NDArray[np.float64]]
"""n rows → probabilities of shape (n, 3), columns as in `models.STANCES`."""

_MOST_CHARACTERS = 1_500
_MOST_TOKENS = 256


def word_baseline(taught: Sequence[StanceRow]) -> Baseline:
    """Fit TF-IDF of premise and comment with logistic regression on related rows, each stance among them."""
    features = TfidfVectorizer(ngram_range=(1, 2), min_df=2, max_features=100_000, sublinear_tf=True)
    regression = LogisticRegression(C=4.0, max_iter=200, class_weight="balanced")
    words = make_pipeline(features, regression)
    words.fit([_joined(row) for row in taught], [row.label for row in taught])

    def judged(rows: Sequence[StanceRow]) -> NDArray[np.float64]:
        return np.asarray(words.predict_proba([_joined(row) for row in rows]), dtype=np.float64)

    return judged


def vector_baseline(taught: Sequence[StanceRow]) -> Baseline:
    """Fit logistic regression on sentence vectors of all-MiniLM-L6-v2, as they come, of premise and comment.

    Its features are both vectors, their distance and their product (Conneau et al. 2017).

    Raises:
        MissingExtraError: the extra `train` is not installed.
    """
    vectors = _vectors()
    regression = LogisticRegression(C=1.0, max_iter=500, class_weight="balanced")
    regression.fit(vectors.of_pairs(taught), [row.label for row in taught])

    def judged(rows: Sequence[StanceRow]) -> NDArray[np.float64]:
        return np.asarray(regression.predict_proba(vectors.of_pairs(rows)), dtype=np.float64)

    return judged


def _joined(row: StanceRow) -> str:
    return f"{row.premise} [SEP] {row.text[:_MOST_CHARACTERS]}"


class _Vectors:
    """The mean of a text's token vectors, scaled to length 1; a text is read once."""

    def __init__(self) -> None:
        require_extra()
        import torch
        from transformers import BertModel
        from transformers.utils import logging

        logging.set_verbosity_error()
        folder = Path(str(files(BASE))) / "model"
        self.torch: Any = torch
        self.tokenizer = cutting_tokenizer(
            (folder / "tokenizer.json").read_text(encoding="utf-8"), _MOST_TOKENS
        )
        self.network: Any = BertModel.from_pretrained(folder).eval()
        self.known: dict[str, NDArray[np.float64]] = {}

    def of_pairs(self, rows: Sequence[StanceRow]) -> NDArray[np.float64]:
        premises = np.stack([self._of(row.premise) for row in rows])
        texts = np.stack([self._of(row.text) for row in rows])
        return np.hstack([premises, texts, np.abs(premises - texts), premises * texts])

    def _of(self, text: str) -> NDArray[np.float64]:
        if text not in self.known:
            with self.torch.no_grad():
                ids = self.torch.tensor([self.tokenizer.encode(text).ids])
                mean = self.network(input_ids=ids).last_hidden_state[0].mean(dim=0)
            self.known[text] = (mean / mean.norm()).numpy().astype(np.float64)
        return self.known[text]


_vectors = lru_cache(maxsize=1)(_Vectors)  # for the folds of a study have most texts in common
