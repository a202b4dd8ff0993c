"""The civility model: six attributes of a comment, by a fast stage and, where that doubts, an encoder."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, vstack
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.utils.validation import check_is_fitted

from models.encoder import TextEncoder
from models.features import Floats, check_texts
from models.known_words import KnownWords
from models.linear import LinearCivility, check_labels, fit_sigmoid
from models.passages import passages
from models.strings import ReadsStrings

__all__ = ["ATTRIBUTES", "ENGLISH", "CivilityModel", "Judged", "Span", "Stages", "utf16_offsets"]

ATTRIBUTES = ("TOXICITY", "SEVERE_TOXICITY", "INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK")
"""The attributes in the order of every array's columns; names as in the Perspective API."""

ENGLISH = "en"

_TOXICITY, _SEVERE = ATTRIBUTES.index("TOXICITY"), ATTRIBUTES.index("SEVERE_TOXICITY")
_SMALLEST_SPAN_SCORE = 0.02
_PASSAGE = 450  # characters: about what the encoder reads at once
_LONG = 2 * _PASSAGE
_MARGIN = 1.0  # by which a passage of a long comment must be worse than the whole, in log-odds
_RIDGE = Ridge(alpha=1.0, solver="lsqr", fit_intercept=False)
_GATE_ONLY = 0.2  # of the weight, for texts from which the gate alone learns
_EDGES = "\\s.,!?;:\"'()\\[\\]*_~-"
_CORE = re.compile(rf"[^{_EDGES}](?:.*[^{_EDGES}])?", re.DOTALL)

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """A word that raises an attribute.

    `begin` and `end` count code points of the original text, `end` exclusive. `score` in [0, 1] is
    how far the fast stage's probability falls when the word's n-grams are taken out of the sum.
    """

    begin: int
    end: int
    attribute: str
    score: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Probabilities of n texts, shape (n, 6), and which of them the encoder has read, shape (n,)."""

    probabilities: Rows
    encoded: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stages:
    """What each stage says of n texts: `fast` and `full` of shape (n, 6), `doubt` of shape (n,).

    `doubt` is how far `full` is expected to be from `fast`: the encoder reads the texts with most of it.
    """

    fast: Rows
    full: Rows
    doubt: Rows


@dataclass(frozen=True, slots=True)
class _Read:
    """Normalised texts, their fast log-odds and gate, and the worst passages of long ones."""

    logits: Rows
    gate: Rows
    texts: list[str]
    worst: dict[int, list[str]]

    def passages(self, row: int) -> list[str]:
        """What the encoder reads of a text."""
        if row in self.worst:
            return self.worst[row]
        text = self.texts[row]
        return [text[begin:end] for begin, end in passages(text, _PASSAGE)]


class CivilityModel(ReadsStrings, BaseEstimator):
    """Texts → probability of each of the six attributes.

    The fast stage, a `LinearCivility`, reads every text. With an encoder, a gate estimates from the
    same features how much the encoder would change, and the `share` of texts with most
    doubt goes to it; a logistic regression an attribute then weighs both stages. Everything is
    calibrated by Platt's sigmoid (Platt 1999) where `calibrate` is called with held-out texts.
    SEVERE_TOXICITY never exceeds TOXICITY.

    Texts of more than 900 characters are also read in passages of up to 450, the worst of which
    counts, a margin in log-odds less: an insult at the end of a long text is seen. Cost is linear in length.

    Args:
        fast: an unfitted `LinearCivility` with the six attributes, cloned by `fit`; None for its defaults.
        encoder: a `TextEncoder`; the texts given to `calibrate` must be unseen by it. None for the fast
            stage alone.
        share: of comments like those of calibration, how many the encoder reads, in [0, 1].
        most_passages: passages of a text that the encoder reads at most.
        margin_a_doubling: by how much more, in log-odds, a passage must be worse than the whole with each
            doubling of a long text's passages: the more there are, the likelier one looks bad by chance.

    Attributes:
        fast_: the fitted fast stage.
        head_: float64, shape (6, 3): weight of the fast stage's and the encoder's log-odds, and offset.
        gate_: float32, shape (n_columns,): coefficients of the gate.
        doubt_: float64, shape (8,): weights and offset by which the gate and the fast stage's own
            uncertainty make up the doubt.
        doubts_: float64, shape (1001,): quantiles of the doubt in the texts of calibration.
        others_: language → a `LinearCivility` for texts in it.
    """

    has_labels = True

    def __init__(
        self,
        fast: LinearCivility | None = None,
        encoder: TextEncoder | None = None,
        share: float = 0.2,
        most_passages: int = 3,
        margin_a_doubling: float = 0.0,
    ) -> None:
        self.fast = fast
        self.encoder = encoder
        self.share = share
        self.most_passages = most_passages
        self.margin_a_doubling = margin_a_doubling

    def fit(self, X: Sequence[str], y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the fast stage.

        Args:
            X: n texts.
            y: shape (n, 6): in [0, 1], NaN for unknown, columns as in `ATTRIBUTES`.
            sample_weight: shape (n,), positive.

        Raises:
            ValueError: wrong shapes, other values, or an attribute with one class only.
        """
        fast = clone(self.fast) if self.fast is not None else LinearCivility(ATTRIBUTES)
        if tuple(fast.attributes) != ATTRIBUTES:
            raise ValueError(f"fast must have the attributes {ATTRIBUTES}, got {tuple(fast.attributes)}")
        self.fast_ = fast.fit(X, y, sample_weight)
        self.others_: dict[str, LinearCivility] = {}
        self._forget()
        return self

    def calibrate(
        self,
        X: Sequence[str],
        y: ArrayLike,
        natural: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        gate_only: Sequence[str] = (),
    ) -> Self:
        """Fit what follows the fast stage on texts that neither it nor the encoder has seen.

        Args:
            X: n texts.
            y: shape (n, 6): 0, 1 or NaN for unknown.
            natural: shape (n,), true where a text comes as often as in the wild: the sigmoids and the
                quantiles of doubt are fitted on these alone. None for all.
            sample_weight: shape (n,), positive: what a text counts where the stages are weighed and in
                the gate; None for natural texts and the others counting the same in sum.
            gate_only: texts without labels, from which the gate alone learns what the encoder changes; they
                have a fifth of the weight there. Other than the rest, they may be known to the encoder.

        An attribute with fewer than 20 known positive or negative rows keeps its calibration.
        """
        check_is_fitted(self)
        texts = check_texts(X)
        labels = check_labels(y, (len(texts), len(ATTRIBUTES)))
        wild = np.ones(len(texts), dtype=bool) if natural is None else np.asarray(natural, dtype=bool)
        self._forget()
        read = self._read(texts)
        for column in range(len(ATTRIBUTES)):
            sigmoid = fit_sigmoid(read.logits[wild, column], labels[wild, column])
            if sigmoid is not None:
                self.fast_.calibration_[column] = sigmoid
        if self.encoder is not None:
            weights = _balanced(wild) if sample_weight is None else np.asarray(sample_weight, dtype=float)
            self._fit_second_stage(self.encoder, texts, read, labels, wild, weights, check_texts(gate_only))
        return self

    def predict_proba(self, X: Sequence[str], *, share: float | None = None) -> Rows:
        """Return calibrated probabilities in [0, 1], shape (len(X), 6), columns as in `ATTRIBUTES`.

        Args:
            X: n texts.
            share: as the parameter of the model, which counts where this is None. The decision is made
                text by text: a batch gives what its texts give alone.
        """
        return self.judge(X, share=share).probabilities

    def judge(self, X: Sequence[str], *, share: float | None = None) -> Judged:
        """Return what `predict_proba` does, and which texts the encoder has read."""
        check_is_fitted(self)
        read = self._read(check_texts(X))
        probabilities = self._fast_probabilities(read.logits)
        encoded = self._doubt(read) >= self.least_doubt(share)
        if encoded.any():
            chosen = np.flatnonzero(encoded)
            probabilities[chosen] = self._full_probabilities(read, chosen)
        return Judged(probabilities, encoded)

    def stages(self, X: Sequence[str]) -> Stages:
        """Return what both stages say of every text, for curves of quality against cost."""
        check_is_fitted(self)
        read = self._read(check_texts(X))
        fast = self._fast_probabilities(read.logits)
        every = np.arange(len(fast))
        full = self._full_probabilities(read, every) if self._has_second_stage else fast
        return Stages(fast, full, self._doubt(read))

    def least_doubt(self, share: float | None = None) -> float:
        """Return the doubt from which a text goes to the encoder, so that `share` of ordinary ones do.

        Raises:
            ValueError: the share is not in [0, 1].
        """
        wanted = self.share if share is None else share
        if not 0 <= wanted <= 1:
            raise ValueError(f"share must be 0 to 1, got {wanted}")
        if wanted == 0 or not self._has_second_stage:
            return np.inf
        return -np.inf if wanted == 1 else float(np.interp(1 - wanted, _QUANTILES, self.doubts_))

    def explain(self, X: Sequence[str]) -> list[list[Span]]:
        """Return for each text the words that raise an attribute in the fast stage, in order of place.

        Exact for the linear part: a word's share is the sum of its n-grams' terms, a pair of words
        being shared by both. The length of the text is held fixed. Long texts are explained by passages.
        """
        check_is_fitted(self)
        return [self._explain(text) for text in check_texts(X)]

    def predict_other(self, X: Sequence[str], language: str) -> Rows:
        """Return probabilities for texts in another language, columns as in its model's `attributes`.

        Raises:
            KeyError: `others_` has no model for the language.
        """
        check_is_fitted(self)
        return self.others_[language].predict_proba(X)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the table out: it is made anew from the coefficients."""
        return {name: value for name, value in super().__getstate__().items() if name != "_table"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read models saved before `margin_a_doubling` was theirs, too."""
        super().__setstate__({"margin_a_doubling": 0.0} | state)

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639 codes of the languages that can be scored: English, and those of `others_`."""
        return frozenset({ENGLISH, *getattr(self, "others_", ())})

    @property
    def _has_second_stage(self) -> bool:
        return self.encoder is not None and hasattr(self, "head_")

    def _forget(self) -> None:
        for name in ("head_", "gate_", "doubt_", "doubts_", "_table"):
            self.__dict__.pop(name, None)

    def _fit_second_stage(
        self,
        encoder: TextEncoder,
        texts: list[str],
        read: _Read,
        labels: Rows,
        wild: NDArray[np.bool_],
        weights: Rows,
        gate_only: list[str],
    ) -> None:
        both = self._both(encoder, read)
        head = np.tile([1.0, 0.0, 0.0], (len(ATTRIBUTES), 1))
        for column in range(len(ATTRIBUTES)):
            head[column] = _fit_head(both[:, column], labels[:, column], wild, weights)
        self.head_ = head
        fast = self._fast_probabilities(read.logits)
        change = np.abs(_full(both, head) - fast)[:, _TOXICITY]
        matrix = self.fast_.features_.transform(read.texts)
        unseen = cross_val_predict(_RIDGE, matrix, change, params={"sample_weight": weights})
        self.gate_ = self._fit_gate(encoder, matrix, change, weights, gate_only)
        blended = LinearRegression().fit(_signs_of_doubt(unseen, fast), change, sample_weight=weights)
        self.doubt_ = np.append(blended.coef_, blended.intercept_)
        self.__dict__.pop("_table", None)
        ordinary = [texts[place] for place in np.flatnonzero(wild)]
        self.doubts_ = np.quantile(self._doubt(self._read(ordinary)), _QUANTILES)

    def _fit_gate(
        self,
        encoder: TextEncoder,
        matrix: csr_array,
        change: NDArray[np.float64],
        weights: Rows,
        gate_only: list[str],
    ) -> NDArray[np.float32]:
        if gate_only:
            read = self._read(gate_only)
            full = _full(self._both(encoder, read), self.head_)
            more = np.abs(full - self._fast_probabilities(read.logits))[:, _TOXICITY]
            weight = _GATE_ONLY / (1 - _GATE_ONLY) * weights.sum() / len(gate_only)
            matrix = vstack([matrix, self.fast_.features_.transform(read.texts)], format="csr")
            change = np.append(change, more)
            weights = np.append(weights, np.full(len(gate_only), weight))
        coef: NDArray[np.float32] = (
            clone(_RIDGE).fit(matrix, change, sample_weight=weights).coef_.astype(np.float32)
        )
        return coef

    def _both(self, encoder: TextEncoder, read: _Read) -> Rows:
        """Log-odds of both stages, shape (n_texts, n_attributes, 2)."""
        encoded = self._encoded(encoder, [read.passages(row) for row in range(len(read.logits))])
        return np.stack([read.logits, encoded], axis=2)

    def _read(self, texts: list[str]) -> _Read:
        plain = self.fast_.deobfuscator_.transform(texts)
        bounds = {row: list(passages(text, _PASSAGE)) for row, text in enumerate(plain) if len(text) > _LONG}
        pieces = [plain[row][begin:end] for row, found in bounds.items() for begin, end in found]
        projected = self.fast_.features_.project([*plain, *pieces], *self._whole_table)
        width = len(ATTRIBUTES)
        logits = projected[: len(plain), :width] + self.fast_.intercept_
        gate = projected[: len(plain), width:].sum(axis=1)
        worst = {}
        at = len(plain)
        for row, found in bounds.items():
            own = projected[at : at + len(found)]
            at += len(found)
            read = own[:, :width] + self.fast_.intercept_
            margin = _MARGIN + self.margin_a_doubling * np.log2(len(found) / 2)
            logits[row] = np.maximum(logits[row], read.max(axis=0) - margin)
            gate[row] = max(gate[row], own[:, width:].sum(axis=1).max())
            order = np.argsort(-read[:, _TOXICITY], kind="stable")[: self.most_passages]
            worst[row] = [plain[row][slice(*found[place])] for place in sorted(order)]
        return _Read(logits, gate, plain, worst)

    @property
    def _whole_table(self) -> tuple[Floats, KnownWords]:
        """Coefficients of the fast stage and the gate, as `HashedNgrams.project` takes them."""
        if "_table" not in self.__dict__:
            columns = [self.fast_.coef_]
            if self._has_second_stage and hasattr(self, "gate_"):
                columns.append(self.gate_[:, None])
            self._table = self.fast_.table(np.hstack(columns))
        return self._table

    def _encoded(self, encoder: TextEncoder, reads: Sequence[Sequence[str]]) -> Rows:
        """The encoder's log-odds of each text: of its worst passage, attribute by attribute."""
        logits = encoder.transform([piece for pieces in reads for piece in pieces])
        starts = np.cumsum([0, *(len(pieces) for pieces in reads)])[:-1]
        return np.maximum.reduceat(logits, starts) if len(reads) else logits

    def _fast_probabilities(self, logits: Rows) -> Rows:
        return _consistent(self.fast_.calibrated(logits))

    def _full_probabilities(self, read: _Read, rows: NDArray[np.intp]) -> Rows:
        assert self.encoder is not None
        encoded = self._encoded(self.encoder, [read.passages(row) for row in rows])
        return _consistent(_full(np.stack([read.logits[rows], encoded], axis=2), self.head_))

    def _doubt(self, read: _Read) -> Rows:
        if not self._has_second_stage or not hasattr(self, "doubt_"):
            return np.zeros(len(read.gate))
        signs = _signs_of_doubt(read.gate, self._fast_probabilities(read.logits))
        doubt: Rows = signs @ self.doubt_[:-1] + self.doubt_[-1]
        return doubt

    def _explain(self, text: str) -> list[Span]:
        aligned = self.fast_.deobfuscator_.align(text)
        bounds = [(0, len(aligned.text))]
        if len(aligned.text) > _LONG:
            bounds = list(passages(aligned.text, _PASSAGE))
        spans = []
        for first, last in bounds:
            piece = aligned.text[first:last]
            found = self.fast_.features_.word_shares(piece, self._whole_table[0])
            share = found.share[:, : len(ATTRIBUTES)]
            logits = share.sum(axis=0) + self.fast_.intercept_
            whole = self._fast_probabilities(logits[None])[0]
            drops = whole - self._fast_probabilities(logits - share)
            for row, column in np.argwhere(drops >= _SMALLEST_SPAN_SCORE):
                core = _CORE.search(piece[found.begin[row] : found.end[row]])
                if core is None:
                    continue
                begin, end = (first + int(found.begin[row]) + place for place in core.span())
                origin = int(aligned.origins[begin]), _origin_end(aligned.origins, end)
                spans.append(Span(*origin, ATTRIBUTES[column], float(drops[row, column])))
        return spans


def utf16_offsets(text: str) -> NDArray[np.int64]:
    """Return each code point's offset in UTF-16 code units, and the length: shape (len(text) + 1,)."""
    units = np.fromiter((1 + (char > "\uffff") for char in text), dtype=np.int64, count=len(text))
    return np.concatenate([[0], np.cumsum(units)])


_QUANTILES = np.linspace(0, 1, 1001)


def _fit_head(both: Rows, target: Rows, wild: NDArray[np.bool_], weights: Rows) -> tuple[float, float, float]:
    """Weights of both stages from all known rows, then Platt's sigmoid of their sum from the natural ones."""
    known = ~np.isnan(target)
    if len(np.unique(target[known])) < 2:
        return 1.0, 0.0, 0.0
    model = LogisticRegression(C=1.0).fit(both[known], target[known], sample_weight=weights[known])
    summed = model.decision_function(both)
    slope, offset = fit_sigmoid(summed[wild], target[wild]) or (1.0, 0.0)
    fast, encoder = model.coef_[0]
    return slope * fast, slope * encoder, slope * float(model.intercept_[0]) + offset


def _full(both: Rows, head: Rows) -> Rows:
    probabilities: Rows = expit((both * head[:, :2]).sum(axis=2) + head[:, 2])
    return probabilities


def _balanced(wild: NDArray[np.bool_]) -> Rows:
    """Weights by which natural rows and the others count the same in sum."""
    share = wild.mean()
    return np.ones(len(wild)) if share in (0, 1) else np.where(wild, 0.5 / share, 0.5 / (1 - share))


def _signs_of_doubt(gate: Rows, fast: Rows) -> Rows:
    return np.column_stack([gate, fast * (1 - fast)])


def _consistent(probabilities: Rows) -> Rows:
    probabilities[:, _SEVERE] = np.minimum(probabilities[:, _SEVERE], probabilities[:, _TOXICITY])
    return probabilities


def _origin_end(origins: NDArray[np.int64], end: int) -> int:
    """Where the original of normalised character end - 1 ends, with what was dropped behind it."""
    return max(int(origins[end - 1]) + 1, int(origins[end]))
