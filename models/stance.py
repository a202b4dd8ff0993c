"""The stance model: does a comment agree or disagree with a premise, and does it bear on it at all?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from models.chain import chain_features
from models.confidence import abstention_floor, best_temperature
from models.encoder import ENCODER_CLASSES, PairEncoder
from models.evidence import (
    ADDRESSED,
    EVIDENCE,
    StanceEvidence,
    check_pairs,
    opening_side,
    sentence_places,
)
from models.features import HashedNgrams
from models.strings import ReadsStrings
from models.views import parts, telling_sentences

__all__ = ["STANCES", "STANCE_LANGUAGES", "SentenceShare", "StanceModel", "StanceScores"]

STANCES = ("agree", "disagree", "neutral")
"""The classes in the order of every array's columns."""

STANCE_LANGUAGES = frozenset({"en"})
"""Languages that the model reads, ISO 639-1."""

_UNRELATED = "unrelated"
_AGREE, _DISAGREE = ENCODER_CLASSES.index("agree"), ENCODER_CLASSES.index("disagree")
_FOLDS = 5
_RELEVANCE_EVIDENCE = (
    "words",
    "premise_words",
    "overlap",
    "weighted_overlap",
    "stem_overlap",
    "bigram_overlap",
    "best_sentence_overlap",
    "comment_in_premise",
    "agree_target",
    "disagree_target",
    "short_agree",
    "short_disagree",
    "short_praise",
    "short_rebuke",
)


@dataclass(frozen=True, slots=True)
class StanceScores:
    """What the model says of n pairs.

    `probabilities` has shape (n, 3), columns as in `STANCES`, rows sum to 1: given that the comment
    bears on the premise. `relevance`, shape (n,), is the probability that it does.
    """

    probabilities: NDArray[np.float64]
    relevance: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SentenceShare:
    """A sentence of a comment, by code point offsets, and what it adds to the comment's likeliest stance.

    `score` in [-1, 1] is the stance's probability less what it is without the sentence.
    """

    begin: int
    end: int
    stance: str
    score: float


@dataclass(frozen=True, slots=True)
class _Columns:
    stance: sparse.csr_array
    relevance: NDArray[np.float64]


class StanceModel(ReadsStrings, ClassifierMixin, BaseEstimator):
    """(premise, comment) pairs → probabilities of agree, disagree and neutral, and relevance.

    Two logistic regressions, one for relevance, one for the stance of related pairs. Both see the
    evidence of `StanceEvidence`. With a pair encoder they also see its logits for the comment as a
    whole and, if asked, for some of its sentences (`models.views`), and the evidence counts for the
    stance of remarks: in a long comment "nonsense" or "well said" may be about anything. Without an
    encoder they see hashed n-grams of the comment.

    Args:
        encoder: a `PairEncoder`. The pairs given to `fit` must then be unseen by it.
        features: an unfitted `HashedNgrams` for the comment, cloned by `fit`, used where there is no
            encoder; None for words and pairs of words in 2 ** 16 columns.
        C: inverse strength of the regularisation.
        most_sentences: sentences that the encoder reads beside the whole comment; four take about as long as
            the whole does, and tell no more of comments never seen.
        precision: share of labels that must be right at and above the abstention floor, in [0, 1].
        remark_words: longest comment, in words, whose evidence counts in full for its stance where there is
            an encoder; in one n times as long it counts 1 / n². None counts it in full in all.
        opening_remark: whether agreement or disagreement with the article itself also counts in full in a
            long comment that opens with it, in a sentence of at most `remark_words` words.
        part_words: longest premise and comment, in words, that the encoder reads at once: of a longer pair
            the comment is read in parts, up to four, whose logits are averaged. None reads them up to the
            encoder's own limit.
        max_iter: most iterations of each solver (L-BFGS).

    Attributes:
        classes_: `STANCES` as an array.
        temperature_: divisor of the stance logits, > 0.
        floor_: confidence below which `predict` says "uncertain", in [0, 1].
        replies_: after `fit_replies`, the model of replies towards their parents.
        chain_: after `fit_chain`, the regression that reads a reply in the light of its parent.
    """

    def __init__(
        self,
        encoder: PairEncoder | None = None,
        features: HashedNgrams | None = None,
        C: float = 0.3,
        most_sentences: int = 0,
        precision: float = 0.85,
        remark_words: int | None = 10,
        opening_remark: bool = True,
        part_words: int | None = 160,
        max_iter: int = 300,
    ) -> None:
        self.encoder = encoder
        self.features = features
        self.C = C
        self.most_sentences = most_sentences
        self.precision = precision
        self.remark_words = remark_words
        self.opening_remark = opening_remark
        self.part_words = part_words
        self.max_iter = max_iter

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read models saved before some hyper-parameters were theirs, too."""
        before = {"remark_words": None, "opening_remark": False, "part_words": None}
        super().__setstate__(before | state)

    def fit(
        self,
        X: Sequence[tuple[str, str]],
        y: Sequence[str],
        sample_weight: ArrayLike | None = None,
        groups: Sequence[str] | None = None,
        floor_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit relevance on all pairs, stance on the related ones.

        With `groups` also calibrate, on predictions for groups left out in turn: the temperature
        that minimises the log loss (Guo et al. 2017), and the abstention floor, the lowest
        confidence at and above which `precision` of the labels are right, less one standard error
        over groups; both by weight. Without groups there is no calibration, and no label is withheld.

        Args:
            X: n (premise, comment) pairs.
            y: n labels: agree, disagree, neutral or unrelated; each must occur.
            sample_weight: shape (n,), positive.
            groups: n names of what must be left out together (a debate, a motion), at least 5 of them.
            floor_weight: shape (n,), not negative: how much each pair counts when the floor is chosen;
                `sample_weight` times this. None counts all.

        Raises:
            ValueError: an unknown label, or a label that never occurs.
        """
        pairs = check_pairs(X)
        labels = _check_labels(y, len(pairs))
        weights = np.ones(len(pairs)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        self.classes_ = np.array(STANCES)  # in alphabetical order, as scikit-learn's are
        self.evidence_ = StanceEvidence().fit(pairs)
        self.scaler_ = StandardScaler().fit(self.evidence_.transform(pairs))
        if self.encoder is None:
            default = HashedNgrams(n_bits=16, char_ngrams=(0, 0), word_ngrams=2)
            self.features_ = clone(self.features) if self.features is not None else default
            self.features_.fit([comment for _, comment in pairs])
        columns = self._columns(pairs)
        related = labels != _UNRELATED
        self.relevance_ = self._regression().fit(columns.relevance, related, sample_weight=weights)
        stance, labels, weights = columns.stance[related], labels[related], weights[related]
        self.stance_ = self._regression().fit(stance, labels, sample_weight=weights)
        self.temperature_, self.floor_ = 1.0, 0.0
        if groups is not None:
            names = np.asarray(list(groups), dtype=str)[related]
            logits = self._left_out_logits(stance, labels, weights, names)
            target = np.searchsorted(self.classes_, labels)
            self.temperature_ = best_temperature(logits, target, weights)
            calibrated = softmax(logits / self.temperature_, axis=1)
            counted = weights if floor_weight is None else weights * np.asarray(floor_weight)[related]
            self.floor_ = abstention_floor(calibrated, target, counted, names, self.precision)
        return self

    def fit_replies(
        self,
        X: Sequence[tuple[str, str]],
        y: Sequence[str],
        sample_weight: ArrayLike | None = None,
        groups: Sequence[str] | None = None,
        *,
        C: float = 0.3,
        remark_words: int | None = 20,
    ) -> Self:
        """Fit `replies_`, with this model's encoder, on (parent, reply) pairs.

        Arguments as for `fit`, and two of the model's own: what a reply says outright is more often about its
        parent than what a comment says about the premise. An opening that names the article counts no more
        than the rest: it is not about the parent.
        """
        own = {"C": C, "remark_words": remark_words, "opening_remark": False}
        settings = self.get_params(deep=False) | own
        # The encoder is shared, so that a bundle holds it once and a process loads it once.
        self.replies_ = StanceModel(**settings).fit(X, y, sample_weight, groups)
        return self

    def fit_chain(self, X: Sequence[tuple[str, str, str]], y: Sequence[str]) -> Self:
        """Fit how a reply's stance to the premise follows from its own words and its parent's stance.

        Args:
            X: n (premise, parent, reply) triples, unseen by encoder and heads.
            y: n labels of `STANCES`, each of which must occur: the reply's stance to the premise.

        Raises:
            ValueError: a label that is not one of `STANCES`, or that never occurs.
        """
        check_is_fitted(self, "replies_")
        labels = np.asarray(list(y), dtype=str)
        if set(labels.tolist()) != set(STANCES) or len(labels) != len(X):
            raise ValueError(f"y must have {len(X)} labels, and each of {', '.join(STANCES)} must occur")
        own = self._assess([(premise, reply) for premise, _, reply in X]).probabilities
        self.chain_ = LogisticRegression(C=1.0, max_iter=self.max_iter).fit(self._chained(X, own), labels)
        return self

    def assess(
        self, X: Sequence[tuple[str, str]], parents: Sequence[str | None] | None = None
    ) -> StanceScores:
        """Return probabilities and relevance together: the encoder reads each pair once.

        Args:
            X: n (premise, comment) pairs.
            parents: n comments that these comments answer, None for those that answer none. A reply is
                read in the light of its parent where `fit_chain` has learnt how.
        """
        own = self._assess(X)
        places = [place for place, parent in enumerate(parents or ()) if parent is not None]
        if not places or not hasattr(self, "chain_"):
            return own
        pairs = check_pairs(X)
        triples = [(pairs[place][0], str((parents or ())[place]), pairs[place][1]) for place in places]
        probabilities = own.probabilities.copy()
        probabilities[places] = self.chain_.predict_proba(self._chained(triples, probabilities[places]))
        return StanceScores(probabilities, own.relevance)

    def assess_replies(self, X: Sequence[tuple[str, str]]) -> StanceScores:
        """Return what `assess` does, for (parent, reply) pairs: the stance towards the parent comment."""
        return (self.replies_ if hasattr(self, "replies_") else self).assess(X)

    @property
    def reply_floor(self) -> float:
        """Confidence below which a stance towards a parent is uncertain, in [0, 1]."""
        return float((self.replies_ if hasattr(self, "replies_") else self).floor_)

    def explain(self, X: Sequence[tuple[str, str]]) -> list[list[SentenceShare]]:
        """Return for each pair what every sentence adds to the likeliest stance, in the comment's order.

        By occlusion: the comment is judged again without the sentence. A comment of one sentence is
        explained by it whole, with the stance's distance from a third.
        """
        check_is_fitted(self)
        pairs = check_pairs(X)
        places = [sentence_places(comment) for _, comment in pairs]
        whole = self._assess(pairs).probabilities
        asked = [
            (pairs[row][0], f"{pairs[row][1][:begin]} {pairs[row][1][end:]}".strip())
            for row, found in enumerate(places)
            if len(found) > 1
            for begin, end in found
        ]
        without = iter(self._assess(asked).probabilities)
        shares = []
        for row, found in enumerate(places):
            likeliest = int(whole[row].argmax())
            rest = [next(without)[likeliest] if len(found) > 1 else 1 / len(STANCES) for _ in found]
            shares.append(
                [
                    SentenceShare(begin, end, STANCES[likeliest], float(whole[row, likeliest] - left))
                    for (begin, end), left in zip(found, rest, strict=True)
                ]
            )
        return shares

    def _assess(self, X: Sequence[tuple[str, str]]) -> StanceScores:
        check_is_fitted(self)
        pairs = check_pairs(X)
        if not pairs:
            return StanceScores(np.zeros((0, len(STANCES))), np.zeros(0))
        columns = self._columns(pairs)
        return StanceScores(
            softmax(self._stance_logits(columns) / self.temperature_, axis=1),
            self.relevance_.predict_proba(columns.relevance)[:, 1],
        )

    def predict_proba(self, X: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return probabilities given that the comment is related, shape (len(X), 3), rows sum to 1."""
        return self.assess(X).probabilities

    def predict_relevance(self, X: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return 1 − P(unrelated), shape (len(X),)."""
        return self.assess(X).relevance

    def predict(self, X: Sequence[tuple[str, str]]) -> NDArray[np.str_]:
        """Return the likeliest stance of each pair, "uncertain" where its probability is below the floor."""
        probabilities = self.predict_proba(X)
        if not len(probabilities):
            return np.zeros(0, dtype="<U9")
        likeliest = self.classes_[probabilities.argmax(axis=1)]
        return np.where(probabilities.max(axis=1) >= self.floor_, likeliest, "uncertain")

    def _chained(self, X: Sequence[tuple[str, str, str]], own: NDArray[np.float64]) -> NDArray[np.float64]:
        parent = self._assess([(premise, parent) for premise, parent, _ in X]).probabilities
        reply = self.replies_._assess([(parent, reply) for _, parent, reply in X]).probabilities
        return chain_features(own, parent, reply)

    def _columns(self, pairs: list[tuple[str, str]]) -> _Columns:
        evidence = self.evidence_.transform(pairs)
        scaled = self.scaler_.transform(evidence)
        overlap = scaled[:, [EVIDENCE.index(name) for name in _RELEVANCE_EVIDENCE]]
        if self.encoder is None:
            read = self.features_.transform([comment for _, comment in pairs])
            stance = sparse.hstack([sparse.csr_array(scaled), read], format="csr")
            return _Columns(stance, overlap)
        logits = self._encoded(self.encoder, pairs)
        counted = scaled * self._counted_share(evidence, pairs)
        return _Columns(sparse.csr_array(np.hstack([counted, logits])), np.hstack([overlap, logits]))

    def _encoded(self, encoder: PairEncoder, pairs: list[tuple[str, str]]) -> NDArray[np.float64]:
        """Logits of the whole comment, shape (n_pairs, 4).

        Where sentences are read beside it, also their mean logits and both sides' strongest: (n_pairs, 10).
        """
        wholes = [parts(comment, self._words_beside(premise)) for premise, comment in pairs]
        beside = [telling_sentences(premise, comment, self.most_sentences) for premise, comment in pairs]
        texts = [[*whole, *chosen] for whole, chosen in zip(wholes, beside, strict=True)]
        read = encoder.transform(
            [(premise, text) for (premise, _), of_pair in zip(pairs, texts, strict=True) for text in of_pair]
        )
        bounds = np.cumsum([0, *map(len, texts)])
        rows = []
        for (begin, end), whole in zip(pairwise(bounds), wholes, strict=True):
            said, alone = read[begin : begin + len(whole)], read[begin + len(whole) : end]
            rows.append(said.mean(axis=0))
            if self.most_sentences:
                rows[-1] = np.append(rows[-1], _of_sentences(alone if len(alone) else said))
        return np.array(rows)

    def _words_beside(self, premise: str) -> int | None:
        """Words of a comment that are read at once with this premise: a third of all at least."""
        if self.part_words is None:
            return None
        return max(self.part_words - len(premise.split()), self.part_words // 3)

    def _counted_share(
        self, evidence: NDArray[np.float64], pairs: list[tuple[str, str]]
    ) -> NDArray[np.float64]:
        if self.remark_words is None:
            return np.ones((len(evidence), 1))
        words = np.expm1(evidence[:, EVIDENCE.index("words")])
        share = np.minimum(1.0, self.remark_words / np.maximum(words, 1.0)) ** 2
        shares: NDArray[np.float64] = np.repeat(share[:, None], len(EVIDENCE), axis=1)
        if self.opening_remark:
            for row in np.flatnonzero(evidence[:, ADDRESSED].any(axis=1)).tolist():
                if (side := opening_side(pairs[row][1], self.remark_words)) is not None:
                    shares[row, side] = 1.0
        return shares

    def _regression(self) -> LogisticRegression:
        return LogisticRegression(C=self.C, max_iter=self.max_iter)

    def _left_out_logits(
        self,
        columns: sparse.csr_array,
        labels: NDArray[np.str_],
        weights: NDArray[np.float64],
        groups: NDArray[np.str_],
    ) -> NDArray[np.float64]:
        logits = np.zeros((len(labels), len(STANCES)))
        for kept, left_out in GroupKFold(_FOLDS).split(columns, labels, groups):
            model = self._regression().fit(columns[kept], labels[kept], sample_weight=weights[kept])
            if len(model.classes_) < len(STANCES):
                raise ValueError("every stance must occur in at least two groups")
            logits[left_out] = model.decision_function(columns[left_out])
        return logits

    def _stance_logits(self, columns: _Columns) -> NDArray[np.float64]:
        logits: NDArray[np.float64] = self.stance_.decision_function(columns.stance)
        return logits


def _of_sentences(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    margin = logits[:, _AGREE] - logits[:, _DISAGREE]
    return np.array([*logits.mean(axis=0), margin.max(), margin.min()])


def _check_labels(y: Sequence[str], n_pairs: int) -> NDArray[np.str_]:
    labels = np.asarray(list(y), dtype=str)
    if len(labels) != n_pairs:
        raise ValueError(f"y must have {n_pairs} labels, got {len(labels)}")
    wanted, found = {*STANCES, _UNRELATED}, set(labels.tolist())
    if found - wanted:
        raise ValueError(f"unknown labels: {', '.join(sorted(found - wanted))}")
    if wanted - found:
        raise ValueError(f"labels that never occur: {', '.join(sorted(wanted - found))}")
    return labels
