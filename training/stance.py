"""The recipe of the stance model: the encoder's mixture, the head's rows, the figures."""

import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from data import SplitPlan, Splits, StanceRow, load_plan, read_stance, split
from data.openers import load_openers
from data.published import PUBLISHED_SOURCE, published_rows
from data.rows import mirrored_label, motion_group
from data.written import (
    DIRECT_SOURCE,
    PLAIN_SOURCE,
    WRITTEN_SOURCE,
    WrittenThread,
    load_threads,
    written_rows,
)
from models import STANCES, StanceModel
from models.encoder import PairEncoder
from training.encoder import READERS_BLEND, fine_tune_pairs
from training.finetuning import FineTuning
from training.metrics import stance_metrics
from training.mixture import broad_mixture, readers_mixture

__all__ = [
    "C_WITH_ENCODER",
    "HEAD_SHARES",
    "JUDGED",
    "READERS",
    "HeadRows",
    "head_rows",
    "judge_stance",
    "judge_threads",
    "judged_rows",
    "stance_splits",
    "threads_by_side",
    "train_encoder",
    "train_head",
    "train_reply_heads",
]

_OPENERS = "openers"

READERS = ("arc", PUBLISHED_SOURCE, DIRECT_SOURCE, PLAIN_SOURCE, WRITTEN_SOURCE)
"""Sets on which confidence and confusion are judged: comments of readers, what the model is asked about."""

HEAD_SHARES: dict[str, float] = {
    "arc": 0.25,
    PUBLISHED_SOURCE: 0.25,
    DIRECT_SOURCE: 0.05,
    PLAIN_SOURCE: 0.05,
    WRITTEN_SOURCE: 0.05,
    _OPENERS: 0.1,
    "ibm-argq-rank-30k": 0.1,
    "perspectrum": 0.1,
    "arct-reasons": 0.05,
}
"""Sets of the calibration split that fit the head, with their share of the total weight.

Reader comments weigh most, for they are what the model is asked about.
"""

C_WITH_ENCODER = 0.03
"""The head's C where there is an encoder: its logits are few, and say most of it."""

# readers' comments, and those that say it outright among them
_FLOOR_SOURCES = frozenset({"arc", PUBLISHED_SOURCE, DIRECT_SOURCE, PLAIN_SOURCE, _OPENERS})
_STRAYED_SHARE = 0.4
_REPLY_SHARES = {"reply-stance": 0.5, WRITTEN_SOURCE: 0.5}

JUDGED: dict[str, int] = {
    "arc": 10_000,
    "arct-reasons": 10_000,
    "fnc-1": 600,
    "ibm-argq-rank-30k": 10_000,
    "perspectrum": 10_000,
    "reply-stance": 10_000,
    PUBLISHED_SOURCE: 1_500,
    DIRECT_SOURCE: 1_000,
    PLAIN_SOURCE: 1_500,
    WRITTEN_SOURCE: 10_000,
}
"""Sets of the test split that are reported, with the most rows judged (drawn by the split's seed)."""

_MOST_HEAD_ROWS = 1200
_PREMISES_AN_OPENER = 10
_UNRELATED = "unrelated"


def stance_splits(data_dir: Path, plan: SplitPlan | None = None) -> Splits[StanceRow]:
    """Read and split every stance set, and the comments and premises written for this project.

    Raises:
        DataError: a file is missing or malformed.
    """
    return split([*read_stance(data_dir), *written_rows(), *published_rows(data_dir)], plan)


def threads_by_side(plan: SplitPlan | None = None) -> dict[str, list[WrittenThread]]:
    """Return the written threads by the side on which their premise falls; no encoder is trained on them."""
    sides: dict[str, list[WrittenThread]] = {"train": [], "calibration": [], "test": []}
    for thread in load_threads():
        sides[(plan or load_plan()).side(motion_group(thread.premise))].append(thread)
    return sides


def train_encoder(
    rows: Sequence[StanceRow],
    broad: FineTuning,
    readers: FineTuning,
    *,
    scratch: Path,
    progress: Callable[[int, int, float], None],
    start: bytes | None = None,
) -> PairEncoder:
    """Fine-tune the pair encoder on these rows of the training split: broadly, then on readers.

    With the model of an encoder to `start` from, on readers only.
    """
    pairs = broad_mixture(rows, load_openers("train"), broad.seed)
    own = readers_mixture(rows, pairs, readers.seed)
    course = [(pairs, broad, 1.0), (own, readers, READERS_BLEND)]
    return fine_tune_pairs(
        course if start is None else course[1:], scratch=scratch, start=start, progress=progress
    )


@dataclass(frozen=True, slots=True)
class HeadRows:
    """What a head is fitted on: rows, their weight, and how much each counts when the floor is chosen."""

    rows: list[StanceRow]
    weight: NDArray[np.float64]
    floor_weight: list[float]


def head_rows(rows: Sequence[StanceRow], seed: int) -> HeadRows:
    """Draw what fits the head from these rows, which the encoder must not have seen.

    Besides the rows themselves: texts under a premise of another group, and openers.
    """
    chosen = _drawn(rows, dict.fromkeys(HEAD_SHARES, _MOST_HEAD_ROWS), seed)
    chosen += [*_strayed(chosen, seed), *_opened(chosen, seed)]
    counts = Counter(row.source for row in chosen)
    weight = np.array([HEAD_SHARES[row.source] / counts[row.source] for row in chosen])
    return HeadRows(chosen, weight, [float(row.source in _FLOOR_SOURCES) for row in chosen])


def train_head(
    rows: Sequence[StanceRow],
    encoder: PairEncoder | None,
    seed: int,
    *,
    more: Sequence[StanceRow] = (),
    more_share: float = 0.0,
) -> StanceModel:
    """Fit the stance model on these rows, which must be the calibration split: unseen by the encoder.

    `more` are rows from elsewhere, which have `more_share` of the weight and count among each other by
    their own. The abstention floor is chosen on readers' comments.
    """
    drawn = head_rows(rows, seed)
    chosen, weights, counted = drawn.rows, drawn.weight, [*drawn.floor_weight, *[1.0] * len(more)]
    if more:
        further = np.array([row.weight for row in more])
        weights = np.append((1 - more_share) * weights / weights.sum(), more_share * further / further.sum())
        chosen += more
    model = StanceModel(encoder) if encoder is None else StanceModel(encoder, C=C_WITH_ENCODER)
    return model.fit(
        [(row.premise, row.text) for row in chosen],
        [row.label for row in chosen],
        sample_weight=weights * len(chosen) / weights.sum(),
        groups=[row.group for row in chosen],
        floor_weight=counted,
    )


def train_reply_heads(
    model: StanceModel, rows: Sequence[StanceRow], threads: Sequence[WrittenThread], seed: int
) -> StanceModel:
    """Fit what reads replies, on reply-stance rows of the calibration split and on written threads.

    The threads are those of the training and calibration sides; parents are paired with a reply of
    another thread for "unrelated".
    """
    chance = random.Random(seed)
    written, triples, labels = _replies(threads)
    pairs = [*(row for row in rows if row.source == "reply-stance"), *written]
    for row in chance.sample(pairs, len(pairs) // 6):
        other = chance.choice(pairs)
        if other.group != row.group:
            pairs.append(StanceRow(row.premise, other.text, _UNRELATED, row.source, row.group))
    counts = Counter(row.source for row in pairs)
    weights = np.array([_REPLY_SHARES[row.source] / counts[row.source] for row in pairs])
    model.fit_replies(
        [(row.premise, row.text) for row in pairs],
        [row.label for row in pairs],
        sample_weight=weights * len(pairs) / weights.sum(),
        groups=[row.group for row in pairs],
    )
    return model.fit_chain(triples, labels)


def judge_threads(model: StanceModel, threads: Sequence[WrittenThread]) -> dict[str, Any]:
    """Return figures of the stance of replies, to the premise and its opposite, with and without the chain.

    `threads` must be those of the test side.
    """
    replies, triples, labels = _replies(threads)
    if not replies:
        return {}
    pairs = [(premise, text) for premise, _, text in triples]
    alone = model.assess(pairs)
    chained = model.assess(pairs, [parent for _, parent, _ in triples])
    to_parent = model.assess_replies([(row.premise, row.text) for row in replies])
    reply_labels = [row.label for row in replies]
    return {
        "threads": len(threads),
        "alone": stance_metrics(alone.probabilities, labels, STANCES, model.floor_),
        "with_parent": stance_metrics(chained.probabilities, labels, STANCES, model.floor_),
        "to_the_parent": stance_metrics(to_parent.probabilities, reply_labels, STANCES, model.reply_floor),
    }


def _replies(
    threads: Sequence[WrittenThread],
) -> tuple[list[StanceRow], list[tuple[str, str, str]], list[str]]:
    """Replies towards their parents; (premise, parent, reply), the opposite premise too; those stances."""
    to_parents, triples, labels = [], [], []
    for thread in threads:
        group = motion_group(thread.premise)
        for comment in thread.comments:
            if comment.parent is None or comment.reply is None:
                continue
            parent = thread.comments[comment.parent].text
            to_parents.append(StanceRow(parent, comment.text, comment.reply, WRITTEN_SOURCE, group))
            triples += [(premise, parent, comment.text) for premise in (thread.premise, thread.opposite)]
            labels += [comment.stance, mirrored_label(comment.stance)]
    return to_parents, triples, labels


def judge_stance(model: StanceModel, rows: Sequence[StanceRow], seed: int) -> dict[str, Any]:
    """Return held-out figures by set; `rows` must be the test split.

    Stance is judged on related pairs; relevance_auc tells related from unrelated ones. "openers" are
    sentences that say outright what they think, which neither encoder nor head has seen.
    """
    by_source = judged_rows(rows, seed)
    found = {source: _figures(model, of_source) for source, of_source in by_source.items()}
    return found | {_OPENERS: found.get(_OPENERS, {})}


def judged_rows(rows: Sequence[StanceRow], seed: int) -> dict[str, list[StanceRow]]:
    """Return what `judge_stance` judges, by set."""
    by_source: dict[str, list[StanceRow]] = defaultdict(list)
    for row in _drawn(rows, JUDGED, seed):
        by_source[row.source].append(row)
    opened = _opened_premises(by_source.get("arc", []))
    return dict(sorted(by_source.items())) | ({_OPENERS: opened} if opened else {})


def _drawn(rows: Sequence[StanceRow], most: dict[str, int], seed: int) -> list[StanceRow]:
    by_source: dict[str, list[StanceRow]] = defaultdict(list)
    for row in rows:
        if row.source in most:
            by_source[row.source].append(row)
    drawn: list[StanceRow] = []
    for source, of_source in sorted(by_source.items()):
        size = min(most[source], len(of_source))
        drawn += of_source if size == len(of_source) else random.Random(seed).sample(of_source, size)
    return drawn


def _strayed(rows: Sequence[StanceRow], seed: int) -> list[StanceRow]:
    """Texts under a premise of another group: beside arc, the sets have none that is unrelated."""
    chance = random.Random(seed)
    by_source: dict[str, list[StanceRow]] = defaultdict(list)
    for row in rows:
        if row.source != "arc":
            by_source[row.source].append(row)
    premises = [row for row in rows if row.label != _UNRELATED]
    pairs = [
        (chance.choice(premises), row)
        for _, of_source in sorted(by_source.items())
        for row in chance.sample(of_source, round(_STRAYED_SHARE * len(of_source)))
    ]
    return [
        StanceRow(asked.premise, row.text, _UNRELATED, row.source, asked.group)
        for asked, row in pairs
        if asked.group != row.group
    ]


def _opened(rows: Sequence[StanceRow], seed: int) -> list[StanceRow]:
    """Sentences that say it outright, which the encoder has not seen; a sentence is a group of its own."""
    chance = random.Random(seed)
    premises = [row.premise for row in rows if row.source == "arc"]
    said = [(stance, text) for stance, texts in load_openers("head").items() for text in texts]
    return [
        StanceRow(premise, text, stance, _OPENERS, f"opener:{text}")
        for stance, text in said
        for premise in (chance.sample(premises, min(_PREMISES_AN_OPENER, len(premises))))
    ]


def _figures(model: StanceModel, rows: Sequence[StanceRow]) -> dict[str, Any]:
    scores = model.assess([(row.premise, row.text) for row in rows])
    related = np.array([row.label != _UNRELATED for row in rows])
    labels = [row.label for row in rows if row.label != _UNRELATED]
    found = stance_metrics(scores.probabilities[related], labels, STANCES, model.floor_)
    if not related.all():
        found["unrelated"] = int((~related).sum())
        found["relevance_auc"] = _auc(related, scores.relevance)
    return found


def _opened_premises(rows: Sequence[StanceRow]) -> list[StanceRow]:
    """Sentences that say outright what they think of the premises of these rows."""
    premises = sorted({row.premise for row in rows}, key=lambda text: zlib.crc32(text.encode()))[:10]
    return [
        StanceRow(premise, text, stance, _OPENERS, f"opener:{text}")
        for premise in premises
        for stance, texts in load_openers("check").items()
        for text in texts
    ]


def _auc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    return round(float(roc_auc_score(truth, score)), 4)
