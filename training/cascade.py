"""What the encoder is worth: quality by the share of comments that are sent to it."""

import copy
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from data import CivilityRow, attribute_matrix
from data.checks import load_civility_checks
from models import ATTRIBUTES, CivilityModel
from models.civility import Stages
from training.checks import check_functions
from training.errors import LeftOutError
from training.heldout import MAIN_SOURCE
from training.judged import Judged, figure

__all__ = ["SHARES", "judge_cascade", "mixed"]

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
"""Shares of comments sent to the encoder."""

_TIMED = 200
_BATCH = 256
_TOXICITY = ATTRIBUTES.index("TOXICITY")


def judge_cascade(judged: Judged) -> dict[str, Any]:
    """Return quality and time a comment at each of `SHARES`; the model's own threshold decides who is sent.

    Raises:
        LeftOutError: the model has no second stage.
    """
    civility = judged.civility
    if civility.encoder is None:
        raise LeftOutError("the model has no encoder")
    functions = load_civility_checks()
    sentences = [text for one in functions for text in (*one.civil, *one.toxic)]
    try:
        rows: list[CivilityRow] = judged.rows.side(MAIN_SOURCE)
    except LeftOutError:
        rows = []
    texts = [row.text for row in rows]
    on_checks = _stages(judged, sentences)
    on_rows = _stages(judged, texts) if texts else None
    timed = (texts or sentences)[:_TIMED]
    shares = []
    for share in SHARES:
        least = civility.least_doubt(share)
        probabilities = dict(zip(sentences, mixed(on_checks, least), strict=True))
        toxicity = {text: row[_TOXICITY] for text, row in probabilities.items()}
        checks = check_functions(functions, lambda asked: np.array([toxicity[text] for text in asked]))  # noqa: B023
        quality = {} if on_rows is None else _quality(mixed(on_rows, least), attribute_matrix(rows))
        seconds = _seconds_a_comment(civility, share, timed)
        shares.append(
            {
                "share": share,
                "sent": None if on_rows is None else figure((on_rows.doubt >= least).mean()),
                "checks_sent": figure((on_checks.doubt >= least).mean()),
                **quality,
                "checks_rate": checks["rate"],
                "seconds_a_comment": seconds,
            }
        )
    return {
        "split": "test",
        "seed": judged.seed,
        "source": MAIN_SOURCE if rows else None,
        "rows": len(rows),
        "checks": len(sentences),
        "timed": len(timed),
        "shares": shares,
    }


def mixed(stages: Stages, least_doubt: float) -> NDArray[np.float64]:
    """Return `stages.fast` with the rows of `stages.full` where doubt reaches `least_doubt`."""
    return np.where((stages.doubt >= least_doubt)[:, None], stages.full, stages.fast)


def _stages(judged: Judged, texts: Sequence[str]) -> Stages:
    """What both stages say and the doubt, batch by batch, for the encoder takes its time."""
    found = []
    for begin in range(0, len(texts), _BATCH):
        batch = texts[begin : begin + _BATCH]
        found.append(judged.civility.stages(batch))
        judged.variants[-1].watch(len(batch))
    fast, full, doubt = zip(*((one.fast, one.full, one.doubt) for one in found), strict=True)
    return Stages(np.concatenate(fast), np.concatenate(full), np.concatenate(doubt))


def _quality(probabilities: NDArray[np.float64], truth: NDArray[np.float64]) -> dict[str, Any]:
    known = ~np.isnan(truth)
    aucs = []
    for column in range(len(ATTRIBUTES)):
        target = truth[known[:, column], column]
        if len(np.unique(target)) == 2:
            aucs.append(roc_auc_score(target, probabilities[known[:, column], column]))
    found = {"mean_auc": figure(np.mean(aucs))} if len(aucs) == len(ATTRIBUTES) else {}
    rows = known[:, _TOXICITY]
    target, toxicity = truth[rows, _TOXICITY], probabilities[rows, _TOXICITY]
    if len(np.unique(target)) == 2:
        found["roc_auc"] = figure(roc_auc_score(target, toxicity))
        found["log_loss"] = figure(log_loss(target, np.clip(toxicity, 1e-6, 1 - 1e-6)))
    return found


def _seconds_a_comment(civility: CivilityModel, share: float, texts: Sequence[str]) -> float:
    model = copy.copy(civility).set_params(share=share)
    model.predict_proba(texts[:1])  # sessions start on the first call
    began = time.perf_counter()
    model.predict_proba(texts)
    return round((time.perf_counter() - began) / len(texts), 7)
