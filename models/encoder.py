"""A pair encoder: a small transformer that reads premise and comment together, run by onnxruntime."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from sklearn.base import BaseEstimator, TransformerMixin
from tokenizers import Tokenizer

from models.evidence import check_pairs

__all__ = ["ENCODER_CLASSES", "PairEncoder", "pair_tokenizer"]

ENCODER_CLASSES = ("agree", "disagree", "neutral", "unrelated")
"""The columns of the encoder's logits, in order."""


class PairEncoder(TransformerMixin, BaseEstimator):
    """(premise, text) pairs → logits of shape (n_pairs, 4), columns as in `ENCODER_CLASSES`.

    Needs no `fit`: its weights come from `training.encoder`. Pairs are run one at a time, because
    the int8 weights' dynamic quantisation takes its scale from all rows that run together: so a
    pair's logits never depend on its neighbours.

    Args:
        onnx: the serialized model; inputs input_ids, attention_mask, token_type_ids of shape
            (1, n_tokens), output logits of shape (1, 4).
        tokenizer: the text of a `tokenizer.json`.
        max_tokens: longest pair, in tokens; the end of the text is cut, never the premise's first half.
        threads: threads of the onnxruntime session.
    """

    def __init__(self, onnx: bytes, tokenizer: str, max_tokens: int = 160, threads: int = 1) -> None:
        self.onnx = onnx
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.threads = threads

    def fit(self, X: object = None, y: object = None) -> Self:
        """Do nothing: the encoder comes with its weights."""
        return self

    def transform(self, X: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the logits; pairs that occur twice are run once."""
        pairs = check_pairs(X)
        session, tokenizer = self._ready()
        known: dict[tuple[str, str], NDArray[np.float64]] = {}
        for pair in pairs:
            if pair not in known:
                known[pair] = self._run(session, tokenizer, pair)
        if not pairs:
            return np.zeros((0, len(ENCODER_CLASSES)))
        return np.stack([known[pair] for pair in pairs])

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that no `fit` is needed."""
        return True

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is pairs of strings and that no `fit` is needed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Leave the session out: it is made anew from the bytes."""
        return {name: value for name, value in super().__getstate__().items() if name != "_session"}

    def _run(
        self, session: InferenceSession, tokenizer: Tokenizer, pair: tuple[str, str]
    ) -> NDArray[np.float64]:
        encoded = tokenizer.encode(_encodable(pair[0]), _encodable(pair[1]))
        inputs = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        (logits,) = session.run(
            ["logits"], {name: np.array([value], dtype=np.int64) for name, value in inputs.items()}
        )
        return np.asarray(logits[0], dtype=np.float64)

    def _ready(self) -> tuple[InferenceSession, Tokenizer]:
        if "_session" not in self.__dict__:
            options = SessionOptions()
            options.intra_op_num_threads = self.threads
            options.inter_op_num_threads = 1
            session = InferenceSession(self.onnx, options, providers=["CPUExecutionProvider"])
            self._session = session, pair_tokenizer(self.tokenizer, self.max_tokens)
        return self._session


def pair_tokenizer(text: str, max_tokens: int) -> Tokenizer:
    """Return the tokenizer of a `tokenizer.json`, set to cut the longer side of a pair at `max_tokens`."""
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
