"""Champion and challenger, judged on the same rows by the same rules."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from data import StanceRow
from data.checks import load_civility_checks
from data.identities import rows_by_identity
from models import ATTRIBUTES, STANCES, CivilityModel, StanceModel
from models.encoder import PairEncoder, TextEncoder
from training.bias import identity_aucs, judge_bias
from training.checks import functional_checks
from training.civility_sets import CIVILITY_SOURCES, TRAIN_ONLY
from training.errors import LeftOutError
from training.heldout import held_out
from training.judged import Judged, Rows, Variant, figure
from training.retraining.lessons import Lesson
from training.sharing import packed, unpacked
from training.stance import judge_stance

__all__ = [
    "Remembering",
    "brier_gains",
    "civility_texts",
    "judge_civility_model",
    "judge_stance_model",
    "parallel_scores",
    "served",
    "sharing",
    "stance_gains",
]

SERVED = "served"
_PART = 512
_TOXICITY = ATTRIBUTES.index("TOXICITY")
_Model = TypeVar("_Model", CivilityModel, StanceModel)
Predict = Callable[[Sequence[str]], NDArray[np.float64]]


class Remembering:
    """An encoder that runs each input once: champion and challenger have the same."""

    def __init__(self, encoder: TextEncoder | PairEncoder) -> None:
        self.encoder = encoder
        self._known: dict[Any, NDArray[np.float64]] = {}

    def transform(self, X: Sequence[Any]) -> NDArray[np.float64]:
        """Return what the encoder does."""
        unknown = [one for one in dict.fromkeys(X) if one not in self._known]
        if unknown or not len(X):
            found = self.encoder.transform(unknown)
            if not len(X):
                return found
            self._known.update(zip(unknown, found, strict=True))
        return np.stack([self._known[one] for one in X])


def sharing(champion: _Model, challenger: _Model) -> tuple[_Model, _Model]:
    """Return both, to be judged and not to be saved, with one remembering encoder in place of theirs."""
    if champion.encoder is None:
        return champion, challenger
    both = copy.copy(champion), copy.copy(challenger)
    remembering = Remembering(champion.encoder)
    for model in both:
        model.set_params(encoder=remembering)
    return both


def parallel_scores(model: CivilityModel, texts: Sequence[str], jobs: int) -> dict[str, NDArray[np.float64]]:
    """Return the probabilities of each distinct text as served, in parts that run at the same time."""
    distinct = list(dict.fromkeys(texts))
    parts = [distinct[begin : begin + _PART] for begin in range(0, len(distinct), _PART)]
    if parts:
        model.predict_proba(parts[0][:1])  # sessions and tables are made once, before threads share them
    shared = packed(model)
    found = Parallel(n_jobs=jobs, prefer="threads")(delayed(_predicted)(shared, part) for part in parts)
    return {
        text: row
        for part, rows in zip(parts, found, strict=True)
        for text, row in zip(part, rows, strict=True)
    }


def _predicted(shared: Any, texts: list[str]) -> NDArray[np.float64]:
    model: CivilityModel = unpacked(shared)
    return model.predict_proba(texts)


def served(model: CivilityModel, known: dict[str, NDArray[np.float64]]) -> Variant:
    """Return the model as it serves, with what is known of it already."""
    return Variant(SERVED, model.predict_proba, model.explain, _known=dict(known))


def civility_texts(rows: Rows) -> list[str]:
    """Return every text on which a civility model is judged here."""
    found = [text for one in load_civility_checks() for text in (*one.civil, *one.toxic)]
    readers: list[Callable[[], Sequence[Any]]] = [rows.templates] if rows.data_dir is not None else []
    if rows.data_dir is not None:
        readers += [_side(rows, source) for source in CIVILITY_SOURCES if source not in TRAIN_ONLY]
    else:
        readers.append(lambda: [row for of_one in rows_by_identity().values() for row in of_one])
    for read in readers:
        try:
            found += [row.text for row in read()]
        except LeftOutError:  # the section that needs these says so
            continue
    return found


def _side(rows: Rows, source: str) -> Callable[[], Sequence[Any]]:
    return lambda: rows.side(source)


def judge_civility_model(model: CivilityModel, variant: Variant, rows: Rows) -> dict[str, Any]:
    """Return the checks, the held-out figures and the bias of a model as served.

    Without datasets, the bias is that on the sentences written for this project, which trained the
    champion and not what was added to it.

    Returns:
        checks, bias (identity → BPSN AUC), bias_on, held_out (set → attribute → figures), left_out
        (section → why).
    """
    judged = Judged(model, [variant], rows)
    found: dict[str, Any] = {"left_out": {}}
    found["checks"] = functional_checks(judged)["variants"][SERVED]
    try:
        section = held_out(judged)
        found["held_out"] = {
            source: {name: one for name, one in of_source.items() if isinstance(one, dict)}
            for source, of_source in section["variants"][SERVED]["sources"].items()
        }
    except LeftOutError as error:
        found["held_out"] = {}
        found["left_out"]["held_out"] = str(error)
    try:
        bias = judge_bias(judged)
        found["bias_on"] = bias["split"]
        identities = bias["variants"][SERVED]["identities"]
        found["bias"] = {name: one["bpsn_auc"] for name, one in identities.items()}
    except LeftOutError as error:
        found["left_out"]["bias"] = str(error)
        found["bias_on"] = "sentences written for this project, on which the champion was trained"
        found["bias"] = _own_bias(variant)
    return found


def _own_bias(variant: Variant) -> dict[str, float]:
    by_identity = rows_by_identity()
    rows = [row for of_one in by_identity.values() for row in of_one]
    names = np.array([name for name, of_one in by_identity.items() for _ in of_one])
    toxic = np.array([row.attributes[_TOXICITY] == 1 for row in rows])
    score = variant.toxicity([row.text for row in rows])
    return {name: figure(identity_aucs(toxic, score, names == name)["bpsn_auc"]) for name in by_identity}


def judge_stance_model(model: StanceModel, rows: Sequence[StanceRow], seed: int) -> dict[str, Any]:
    """Return the figures of each set of the test split; none where there are no rows."""
    return {name: one for name, one in judge_stance(model, rows, seed).items() if one} if rows else {}


def brier_gains(lesson: Lesson, champion: Predict, challenger: Predict) -> NDArray[np.float64]:
    """Return by how much each comment's Brier score falls, mean over its known attributes, shape (n,)."""
    if not len(lesson):
        return np.zeros(0)
    before = (champion(lesson.texts) - lesson.labels) ** 2
    after = (challenger(lesson.texts) - lesson.labels) ** 2
    gains: NDArray[np.float64] = np.nanmean(before - after, axis=1)
    return gains


def stance_gains(
    rows: Sequence[StanceRow], champion: StanceModel, challenger: StanceModel
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each opinion by how much the Brier score of its stance falls, and its weight."""
    decided = [row for row in rows if row.label in STANCES]
    if not decided:
        return np.zeros(0), np.zeros(0)
    pairs = [(row.premise, row.text) for row in decided]
    truth = np.eye(len(STANCES))[[STANCES.index(row.label) for row in decided]]
    before, after = (
        ((model.predict_proba(pairs) - truth) ** 2).sum(axis=1) for model in (champion, challenger)
    )
    return before - after, np.array([row.weight for row in decided])
