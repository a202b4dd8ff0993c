"""The challenger: the champion's encoders, and around them the champion continued, or all fitted anew.

Continued, the champion's log-odds stay as an offset, and coefficients are added that explain the feedback,
shrunk to none, while other texts hold the rest where it was (learning without forgetting, Li and Hoiem
2016). Refitted, the civility fast stage, the weights of the stages, the calibration and the stance head are
fitted on base data and feedback together.
"""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, logit

from data import CivilityRow, StanceRow, load_plan
from data.checks import CONTRAST_SOURCE, contrast_rows
from data.written import written_rows
from models import ATTRIBUTES, STANCES, CivilityModel, StanceModel
from models.adaptation import StanceAdaptation
from training.civility import WeightedTexts, train_civility
from training.civility_sets import NATURAL, civility_splits
from training.judged import drawn
from training.retraining.lessons import Lesson, weight_shares
from training.sharing import packed, unpacked
from training.stance import stance_splits, train_head

__all__ = [
    "civility_anchors",
    "continued_civility",
    "continued_stance",
    "refitted_civility",
    "refitted_stance",
    "stance_anchors",
]

_ANCHOR_WEIGHT = 1.0
_CERTAIN = 1e-6
_FEWEST_STANCES = 10
_ANCHORS = 4_000
_STANCE_ANCHORS = 600
_UNRELATED = "unrelated"


def refitted_civility(
    champion: CivilityModel, train: Lesson, calibration: Lesson, data_dir: Path
) -> CivilityModel:
    """Return a model with the champion's encoder, fitted on base data and feedback.

    Raises:
        DataError: a dataset is missing or malformed.
    """
    fast = champion.fast_
    texts, labels, weights = weight_shares(calibration)
    challenger = train_civility(
        civility_splits(data_dir),
        champion.encoder,
        C=fast.C,
        n_bits=fast.features_.n_bits,
        more=WeightedTexts(train.texts, train.labels, train.weights),
        more_held_out=WeightedTexts(texts, labels, weights),
    )
    kept = champion.get_params(deep=False)
    challenger.set_params(**{name: kept[name] for name in kept if name not in ("fast", "encoder")})
    challenger.others_ = champion.others_
    return challenger


def civility_anchors(data_dir: Path | None) -> list[str]:
    """Return the texts that hold a champion where it is: of the training side, and contrasts that ship.

    Raises:
        DataError: a dataset is missing or malformed.
    """
    if data_dir is None:
        return [row.text for row in contrast_rows()]
    train = civility_splits(data_dir).train
    natural: list[CivilityRow] = [row for row in train if row.source in NATURAL]
    contrasts = [row for row in train if row.source == CONTRAST_SOURCE]
    return [row.text for row in (*drawn(natural, _ANCHORS, load_plan().seed), *contrasts)]


def continued_civility(
    champion: CivilityModel, lesson: Lesson, anchors: Sequence[str], shrinkage: float, jobs: int = 1
) -> CivilityModel:
    """Return the champion with coefficients added to its fast stage.

    They minimise, attribute by attribute, the weighted log loss of what the champion serves on the
    feedback, plus `shrinkage` / 2 of their squared norm. The anchors hold it where it was: there the
    champion's own answer is the target. There is no offset to learn: moderators judge what was wrong, and
    how much of that is uncivil says nothing about all comments.
    """
    texts = [*lesson.texts, *anchors]
    stages = champion.stages(texts)
    reads = stages.doubt >= champion.least_doubt()
    served = np.clip(np.where(reads[:, None], stages.full, stages.fast), _CERTAIN, 1 - _CERTAIN)
    head = getattr(champion, "head_", champion.fast_.calibration_)
    slope = np.where(reads[:, None], head[:, 0], champion.fast_.calibration_[:, 0])
    targets = np.vstack([lesson.labels, served[len(lesson) :]])
    weights = np.append(lesson.weights, np.full(len(anchors), _ANCHOR_WEIGHT))
    fast = champion.fast_
    matrix = fast.features_.transform(fast.deobfuscator_.transform(texts))
    used = np.unique(matrix.indices)
    narrow = sparse.csr_array(matrix[:, used], dtype=np.float64)
    shared = packed(narrow)
    added = Parallel(n_jobs=jobs, prefer="threads")(
        delayed(_correction)(
            shared, logit(served[:, column]), slope[:, column], targets[:, column], weights, shrinkage
        )
        for column in range(len(ATTRIBUTES))
    )
    corrected = copy.copy(fast)
    corrected.coef_ = fast.coef_.copy()
    corrected.coef_[used] += np.column_stack(added).astype(np.float32)
    challenger = copy.copy(champion)
    challenger.fast_ = corrected
    return challenger


def refitted_stance(
    champion: StanceModel, rows: Sequence[StanceRow], data_dir: Path, most_share: float
) -> StanceModel:
    """Return a model with the champion's encoder and what reads replies, its head fitted anew.

    Args:
        champion: the model that serves.
        rows: feedback that neither encoder nor head has seen.
        data_dir: folder of the datasets.
        most_share: share of the weight that feedback has at most; less where there is little of it.

    Raises:
        DataError: a dataset is missing or malformed.
    """
    base = stance_splits(data_dir).calibration
    weight = sum(row.weight for row in rows)
    share = min(most_share, weight / (weight + len(base)))
    seed = load_plan().seed
    challenger = train_head(base, champion.encoder, seed, more=list(rows), more_share=share)
    for name in ("replies_", "chain_"):
        if hasattr(champion, name):
            setattr(challenger, name, getattr(champion, name))
    return challenger


def stance_anchors(data_dir: Path | None) -> list[tuple[str, str]]:
    """Return the pairs that hold a champion where it is: of the calibration side, or those that ship.

    Raises:
        DataError: a dataset is missing or malformed.
    """
    plan = load_plan()
    if data_dir is not None:
        rows = stance_splits(data_dir, plan).calibration
    else:
        rows = [row for row in written_rows() if plan.side(row.group) != "test"]
    related = [row for row in rows if row.label != _UNRELATED]
    return [(row.premise, row.text) for row in drawn(related, _STANCE_ANCHORS, plan.seed)]


def continued_stance(
    champion: StanceModel,
    rows: Sequence[StanceRow],
    anchors: Sequence[tuple[str, str]],
    most_share: float,
    assess: Callable[[Sequence[tuple[str, str]]], NDArray[np.float64]],
) -> StanceModel:
    """Return the champion with a shift and a small linear correction of its outputs, folded into its head.

    The anchors hold it where it was: there its own probabilities are the target. `assess` gives them.
    Feedback has at most `most_share` of the weight. Fewer than 10 opinions change nothing.
    """
    decided = [row for row in rows if row.label in STANCES]
    if len(decided) < _FEWEST_STANCES:
        return champion
    said = assess([*((row.premise, row.text) for row in decided), *anchors])
    of_anchors = said[len(decided) :]
    own = np.array([row.weight for row in decided])
    share = min(most_share, own.sum() / (own.sum() + len(anchors)))
    own *= share / (1 - share) * len(anchors) / own.sum()
    found = StanceAdaptation(prior_strength=16.0, slope_strength=100.0).fit(
        # An anchor is three rows, one a stance, that weigh what the champion gives that stance.
        np.vstack([said[: len(decided)], np.repeat(of_anchors, len(STANCES), axis=0)]),
        [*(row.label for row in decided), *(stance for _ in anchors for stance in STANCES)],
        np.append(own, of_anchors.ravel()),
    )
    # softmax(z/T + b + centred(z/T) D), with z = X coef' + intercept, is again a softmax of a linear map.
    k = len(STANCES)
    mix = np.eye(k) + (np.eye(k) - 1 / k) @ found.slope_
    challenger = copy.copy(champion)
    challenger.stance_ = copy.deepcopy(champion.stance_)
    challenger.stance_.coef_ = mix.T @ champion.stance_.coef_
    challenger.stance_.intercept_ = mix.T @ champion.stance_.intercept_ + champion.temperature_ * found.shift_
    return challenger


def _correction(
    shared: Any,
    offset: NDArray[np.float64],
    slope: NDArray[np.float64],
    target: NDArray[np.float64],
    weights: NDArray[np.float64],
    shrinkage: float,
) -> NDArray[np.float64]:
    matrix: sparse.csr_array = unpacked(shared)
    known = np.flatnonzero(~np.isnan(target))
    rows, offset, slope = matrix[known], offset[known], slope[known]
    target, weights = target[known], weights[known]

    def loss(added: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = offset + slope * (rows @ added)
        value = weights @ (np.logaddexp(0, log_odds) - target * log_odds)
        error = weights * slope * (expit(log_odds) - target)
        return float(value + shrinkage / 2 * added @ added), rows.T @ error + shrinkage * added

    found: NDArray[np.float64] = minimize(
        loss, np.zeros(matrix.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-7}
    ).x
    return found
