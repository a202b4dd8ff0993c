"""Ways of reading a long comment with one pair encoder, judged on the same pairs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from data import StanceRow
from models import STANCES, StanceModel
from models.encoder import ENCODER_CLASSES, PairEncoder
from models.evidence import sentences
from models.views import telling_sentences
from training.metrics import stance_metrics
from training.stance import C_WITH_ENCODER, HeadRows

__all__ = ["HEADS", "READINGS", "Read", "judge_heads", "judge_readings", "judge_whole"]

_STANCES = [ENCODER_CLASSES.index(stance) for stance in STANCES]
_AGREE, _DISAGREE = ENCODER_CLASSES.index("agree"), ENCODER_CLASSES.index("disagree")
_MOST_SENTENCES = 4
_WINDOW = 3
_UNRELATED = "unrelated"


@dataclass(frozen=True, slots=True)
class Read:
    """What the encoder says of one comment: logits of shape (4,), and of (n, 4) of its parts.

    `sentences` are those of `models.views`; `windows` hold three sentences each, and together all of them.
    """

    whole: NDArray[np.float64]
    sentences: NDArray[np.float64]
    windows: NDArray[np.float64]


Reading = Callable[[Read], NDArray[np.float64]]


def _strongest(read: Read) -> NDArray[np.float64]:
    margin = read.sentences[:, _AGREE] - read.sentences[:, _DISAGREE]
    found: NDArray[np.float64] = read.sentences[np.abs(margin).argmax()]
    return found


READINGS: dict[str, tuple[str, Reading]] = {
    "whole": ("the whole comment", lambda read: read.whole),
    "sentences": ("mean over up to four sentences", lambda read: read.sentences.mean(axis=0)),
    "windows": ("mean over windows of three sentences", lambda read: read.windows.mean(axis=0)),
    "opening": ("the opening sentence", lambda read: read.sentences[0]),
    "closing": ("the closing sentence", lambda read: read.sentences[-1]),
    "ends": ("opening and closing", lambda read: read.sentences[[0, -1]].mean(axis=0)),
    "strongest": ("the sentence that leans most to a side", _strongest),
    "both": (
        "the whole, and the mean of its sentences",
        lambda read: read.whole + read.sentences.mean(axis=0),
    ),
}
"""By name: a title, and what makes logits of shape (4,) of what was read."""

HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("head as it ships: the whole comment alone", {}),
    "two": ("head, two sentences beside the whole", {"most_sentences": 2}),
    "four": ("head, four sentences beside the whole", {"most_sentences": 4}),
    "evidence": (
        "… evidence counted in full in long comments, too",
        {"most_sentences": 4, "remark_words": None},
    ),
    "words": ("head without the encoder: evidence and n-grams", {"encoder": None, "C": 0.3}),
}
"""By name: a title, and the hyper-parameters of the `StanceModel` that differ from the shipped one's."""


def judge_readings(encoder: PairEncoder, rows: Sequence[StanceRow]) -> dict[str, dict[str, Any]]:
    """Return the figures of each of `READINGS` on related rows: no head, only the encoder's own logits."""
    parts = [_parts(row) for row in rows]
    asked = [
        (row.premise, text) for row, kinds in zip(rows, parts, strict=True) for kind in kinds for text in kind
    ]
    said = iter(encoder.transform(asked))
    read = [
        Read(next(said), *(np.array([next(said) for _ in kind]) for kind in kinds[1:])) for kinds in parts
    ]
    found = {}
    for name, (_, reading) in READINGS.items():
        chosen = np.array([reading(one)[_STANCES] for one in read])
        found[name] = _figures(softmax(chosen, axis=1), rows)
    return found


def judge_whole(encoder: PairEncoder, rows: Sequence[StanceRow]) -> dict[str, Any]:
    """Return the figures of the encoder's own logits of whole comments on related rows."""
    logits = np.asarray(encoder.transform([(row.premise, row.text) for row in rows]))
    return _figures(softmax(logits[:, _STANCES], axis=1), rows)


def _parts(row: StanceRow) -> tuple[list[str], list[str], list[str]]:
    """The comment alone, its sentences and its windows: itself where it has but one."""
    chosen = telling_sentences(row.premise, row.text, _MOST_SENTENCES)
    every = sentences(row.text) or [row.text]
    windows = [" ".join(every[begin : begin + _WINDOW]) for begin in range(0, len(every), _WINDOW)]
    return [row.text], chosen or [row.text], windows


def judge_heads(
    encoder: PairEncoder,
    fitted: HeadRows,
    rows: Sequence[StanceRow],
    heads: Mapping[str, tuple[str, dict[str, Any]]] = HEADS,
) -> dict[str, dict[str, Any]]:
    """Return the figures of each of `heads`, fitted on `fitted`, on rows among which some are unrelated."""
    related = np.array([row.label != _UNRELATED for row in rows])
    found = {}
    for name, (_, differs) in heads.items():
        model = StanceModel(encoder, C=C_WITH_ENCODER).set_params(**differs)
        model.fit(
            [(row.premise, row.text) for row in fitted.rows],
            [row.label for row in fitted.rows],
            sample_weight=fitted.weight * len(fitted.rows) / fitted.weight.sum(),
        )
        scores = model.assess([(row.premise, row.text) for row in rows])
        kept = [row for row in rows if row.label != _UNRELATED]
        found[name] = _figures(scores.probabilities[related], kept)
        found[name]["relevance_auc"] = round(float(roc_auc_score(related, scores.relevance)), 4)
    return found


def _figures(probabilities: NDArray[np.float64], rows: Sequence[StanceRow]) -> dict[str, Any]:
    return stance_metrics(probabilities, [row.label for row in rows], STANCES, 0.0)
