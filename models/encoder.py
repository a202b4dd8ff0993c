"""Encoders: small transformers run by onnxruntime, over one text or over premise and text together."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from sklearn.base import BaseEstimator, TransformerMixin
from tokenizers import Tokenizer

from models.errors import ModelError
from models.evidence import check_pairs
from models.features import check_texts
from models.memory import Memory, key_of
from models.strings import ReadsStrings

__all__ = ["ENCODER_CLASSES", "PairEncoder", "TextEncoder", "cutting_tokenizer"]

ENCODER_CLASSES = ("agree", "disagree", "neutral", "unrelated")
"""The columns of the pair encoder's logits, in order."""


class _Encoder(ReadsStrings, TransformerMixin, BaseEstimator):
    """What both encoders share: needs no `fit`, for its weights come from `training.finetuning`.

    Inputs are run one at a time, because the int8 weights' dynamic quantisation takes its scale
    from all rows that run together: so an input's logits never depend on its neighbours.
    """

    needs_fit = False

    def __init__(
        self, onnx: bytes, tokenizer: str, max_tokens: int = 160, threads: int = 1, remembered: int = 4096
    ) -> None:
        self.onnx = onnx
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.threads = threads
        self.remembered = remembered

    def fit(self, X: object = None, y: object = None) -> Self:
        """Do nothing: the encoder comes with its weights."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that no `fit` is needed."""
        return True

    def let_go(self) -> Self:
        """Open the session and give up the serialized model, which takes as much memory again.

        The encoder goes on answering; it can no longer be pickled or cloned.
        """
        session, _, _ = self._ready()
        session._model_bytes = self.onnx = b""  # onnxruntime keeps them to begin anew if a device fails
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the session, which is made anew from the bytes, and what was remembered.

        Raises:
            ModelError: the bytes were let go.
        """
        self._check_kept()
        left_out = ("_session", "_memory")
        return {name: value for name, value in super().__getstate__().items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read encoders saved before `remembered` was theirs, too."""
        super().__setstate__({"remembered": 4096} | state)

    def _check_kept(self) -> None:
        if not self.onnx:
            raise ModelError("this encoder has let its serialized model go: load the bundle again")

    def _logits(self, inputs: Sequence[tuple[str, str | None]], columns: int) -> NDArray[np.float64]:
        """Run every distinct input that is not remembered once; shape (len(inputs), columns)."""
        if not inputs:
            return np.zeros((0, columns))
        session, tokenizer, memory = self._ready()
        known = {}
        for one in dict.fromkeys(inputs):
            key = key_of(*one)
            found = memory.get(key)
            if found is None:
                found = _run(session, tokenizer, *one)
                memory.put(key, found)
            known[one] = found
        return np.stack([known[one] for one in inputs])

    def _ready(self) -> tuple[InferenceSession, Tokenizer, Memory]:
        if "_session" not in self.__dict__:
            self._check_kept()
            options = SessionOptions()
            options.intra_op_num_threads = self.threads
            options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False  # which keeps what the longest input took, and is no faster
            session = InferenceSession(self.onnx, options, providers=["CPUExecutionProvider"])
            self._memory = Memory(self.remembered)
            self._session = session, _shared_tokenizer(self.tokenizer, self.max_tokens)
        return *self._session, self._memory


class PairEncoder(_Encoder):
    """(premise, text) pairs → logits of shape (n_pairs, 4), columns as in `ENCODER_CLASSES`.

    Args:
        onnx: the serialized model; inputs input_ids, attention_mask, token_type_ids of shape
            (1, n_tokens), output logits of shape (1, 4).
        tokenizer: the text of a `tokenizer.json`.
        max_tokens: longest pair, in tokens; the end of the text is cut, never the premise's first half.
        threads: threads of the onnxruntime session.
        remembered: how many of the latest pairs' logits are kept, by digest.
    """

    def transform(self, X: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the logits; pairs that occur twice are run once."""
        return self._logits(list(check_pairs(X)), len(ENCODER_CLASSES))


class TextEncoder(_Encoder):
    """Texts → logits of shape (n_texts, 6), one an attribute of civility.

    Args:
        onnx: the serialized model; inputs input_ids, attention_mask, token_type_ids of shape
            (1, n_tokens), output logits of shape (1, 6).
        tokenizer: the text of a `tokenizer.json`.
        max_tokens: longest text, in tokens; the end of a longer one is cut.
        threads: threads of the onnxruntime session.
        remembered: how many of the latest texts' logits are kept, by digest.
    """

    def transform(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Return the logits; texts that occur twice are run once."""
        return self._logits([(text, None) for text in check_texts(X)], 6)


def cutting_tokenizer(text: str, max_tokens: int) -> Tokenizer:
    """Return the tokenizer of a `tokenizer.json`, set to cut the longer side of its input at `max_tokens`."""
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    return tokenizer


# Reading a tokenizer holds the interpreter for a tenth of a second and more, during which nothing is scored:
# bundles that are put to use one after the other mostly have the same.
_shared_tokenizer = lru_cache(maxsize=4)(cutting_tokenizer)


def _run(
    session: InferenceSession, tokenizer: Tokenizer, text: str, second: str | None
) -> NDArray[np.float64]:
    encoded = tokenizer.encode(_encodable(text), None if second is None else _encodable(second))
    inputs = {
        "input_ids": encoded.ids,
        "attention_mask": encoded.attention_mask,
        "token_type_ids": encoded.type_ids,
    }
    (logits,) = session.run(
        ["logits"], {name: np.array([value], dtype=np.int64) for name, value in inputs.items()}
    )
    return np.asarray(logits[0], dtype=np.float64)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
