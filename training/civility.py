"""The recipe of the civility model: how it is fitted, calibrated and judged."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import expit

from data import CivilityRow, Splits, attribute_matrix
from data.checks import CONTRAST_SOURCE
from data.denials import DENIAL_SOURCE
from models import ATTRIBUTES, CivilityModel
from models.encoder import TextEncoder
from models.evasion import Deobfuscator
from models.features import HashedNgrams
from models.linear import LinearCivility
from models.text import normalise
from training.civility_sets import CIVILITY_SOURCES, NATURAL, TRAIN_ONLY
from training.metrics import attribute_metrics
from training.sharing import packed, unpacked

__all__ = ["WeightedTexts", "judge_civility", "taught", "train_civility"]

_TEACHERS_SHARE = 0.5
_NOT_TAUGHT = TRAIN_ONLY | {CONTRAST_SOURCE}  # written with care: their labels are right
_MOST_CHARACTERS = 600  # of longer texts the encoder would read the beginning only
_JOBS = 2


@dataclass(frozen=True)
class WeightedTexts:
    """n texts from elsewhere than the datasets: labels (n, 6) in [0, 1] or NaN, and weights (n,)."""

    texts: list[str]
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]


_NONE = WeightedTexts([], np.zeros((0, len(ATTRIBUTES))), np.zeros(0))


def train_civility(
    splits: Splits[CivilityRow],
    encoder: TextEncoder | None = None,
    *,
    C: float = 2.0,
    n_bits: int = 19,
    more: WeightedTexts = _NONE,
    more_held_out: WeightedTexts = _NONE,
) -> CivilityModel:
    """Fit on the training rows and calibrate on the calibration rows, which `encoder` must not have seen.

    With an encoder, the fast stage learns from it too, see `taught`.

    Args:
        splits: the datasets' rows.
        encoder: the second stage.
        C: inverse strength of the regularisation.
        n_bits: logarithm of the number of columns.
        more: further texts to train on; between 0 and 1 stands a rate.
        more_held_out: further texts to weigh the stages on, labels 0, 1 or NaN; as they come from where a
            model was wrong, they are not calibrated on.
    """
    rows = splits.train
    labels = attribute_matrix(rows) if encoder is None else taught(rows, encoder)
    weights = np.array([CIVILITY_SOURCES[row.source] for row in rows])
    fast = LinearCivility(ATTRIBUTES, Deobfuscator(), HashedNgrams(n_bits=n_bits), C=C, n_jobs=_JOBS)
    model = CivilityModel(fast, encoder)
    texts = [*(row.text for row in rows), *more.texts]
    model.fit(texts, np.vstack([labels, more.labels]), sample_weight=np.append(weights, more.weights))
    held_out = splits.calibration
    natural = np.array([row.source in NATURAL for row in held_out])
    contrast = np.array([row.source == CONTRAST_SOURCE for row in held_out])
    kinds = ((natural, 0.4), (contrast, 0.4), (~natural & ~contrast, 0.2))
    share = np.sum([part * kind / max(kind.sum(), 1) for kind, part in kinds], axis=0)
    return model.calibrate(
        [*(row.text for row in held_out), *more_held_out.texts],
        np.vstack([attribute_matrix(held_out), more_held_out.labels]),
        np.append(natural, np.zeros(len(more_held_out.texts), dtype=bool)),
        np.append(share * len(held_out), more_held_out.weights),
        [row.text for row in rows if row.source == DENIAL_SOURCE],
    )


def taught(rows: Sequence[CivilityRow], teacher: TextEncoder) -> NDArray[np.float64]:
    """Return what the rows' labels and a teacher say together, in [0, 1] (Hinton et al. 2015), shape (n, 6).

    Half the label, half the teacher's probability; where the label is unknown, the teacher's alone.
    Sentences written for this project, and long texts, keep their labels.
    """
    labels = attribute_matrix(rows)
    places = [
        place
        for place, row in enumerate(rows)
        if row.source not in _NOT_TAUGHT and len(row.text) <= _MOST_CHARACTERS
    ]
    if not places:
        return labels
    texts = [normalise(rows[place].text) for place in places]
    parts = np.array_split(np.arange(len(texts)), 64 * _JOBS)
    teacher.transform(texts[:1])  # the session is made once, before the threads share it
    shared = packed(teacher)
    found = Parallel(n_jobs=_JOBS, prefer="threads")(
        delayed(_said)(shared, [texts[place] for place in part]) for part in parts if len(part)
    )
    said = expit(np.concatenate(found))
    known = labels[places]
    labels[places] = np.where(np.isnan(known), said, (1 - _TEACHERS_SHARE) * known + _TEACHERS_SHARE * said)
    return labels


def _said(shared: Any, texts: list[str]) -> NDArray[np.float64]:
    teacher: TextEncoder = unpacked(shared)
    return teacher.transform(texts)


def judge_civility(
    score: Callable[[Sequence[str]], NDArray[np.float64]], rows: Sequence[CivilityRow]
) -> dict[str, Any]:
    """Return held-out figures by source and attribute; `rows` must be the test rows."""
    probabilities = score([row.text for row in rows])
    truth = attribute_matrix(rows)
    sources = np.array([row.source for row in rows])
    found: dict[str, Any] = {}
    for source, size in sorted(Counter(sources.tolist()).items()):
        of_source = sources == source
        figures = {
            attribute: attribute_metrics(probabilities[of_source, column], truth[of_source, column])
            for column, attribute in enumerate(ATTRIBUTES)
            if not np.isnan(truth[of_source, column]).all()
        }
        found[source] = {"rows": size, **figures}
    return found
