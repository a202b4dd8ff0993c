"""Civility in other languages than English: a linear model each, where it is good enough to be shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from data import CivilityRow, Splits, attribute_matrix, read_civility, split
from models import ATTRIBUTES
from models.evasion import Deobfuscator
from models.features import HashedNgrams
from models.linear import LinearCivility
from training.errors import LeftOutError
from training.judged import Judged
from training.metrics import attribute_metrics

__all__ = ["LANGUAGE_SOURCES", "LEAST_AUC", "judge_languages", "language_splits", "train_languages"]

LANGUAGE_SOURCES: dict[str, str] = {"de": "germeval-2018", "pt": "told-br", "ko": "korean-hate-news"}
"""ISO 639-1 code → the set from which the language is learnt."""

LEAST_AUC = 0.8
"""ROC-AUC on either held-out side below which an attribute is not given, and without TOXICITY no other."""

_FEWEST_POSITIVE = 30
_BYTES_A_LETTER = {"ko": 3}
_BITS = 16


def language_splits(data_dir: Path, language: str) -> Splits[CivilityRow]:
    """Read and split the set of a language.

    Raises:
        DataError: a file is missing or malformed.
    """
    return split(read_civility(data_dir, [LANGUAGE_SOURCES[language]]))


def train_languages(data_dir: Path) -> dict[str, LinearCivility]:
    """Return a model for each language that reaches `LEAST_AUC` in TOXICITY, with the attributes that do.

    Raises:
        DataError: a file is missing or malformed.
    """
    found = {}
    for language in LANGUAGE_SOURCES:
        model = _trained(language_splits(data_dir, language), language)
        if model is not None:
            found[language] = model
    return found


def judge_languages(judged: Judged) -> dict[str, Any]:
    """Return figures on the test split for every language that the model has, a language left out by name.

    Raises:
        LeftOutError: no language but English, or no datasets.
    """
    others = judged.civility.others_
    if not others:
        raise LeftOutError("the model scores English only")
    folder = judged.rows.folder
    return {
        "split": "test",
        "seed": judged.seed,
        "refused": sorted(set(LANGUAGE_SOURCES) - set(others)),
        "languages": {
            language: _figures(model, language_splits(folder, language).test)
            for language, model in sorted(others.items())
        },
    }


def _trained(splits: Splits[CivilityRow], language: str) -> LinearCivility | None:
    truth = attribute_matrix(splits.train)
    wanted = [
        column
        for column in range(len(ATTRIBUTES))
        if np.nansum(truth[:, column]) >= _FEWEST_POSITIVE
        and (truth[:, column] == 0).sum() >= _FEWEST_POSITIVE
    ]
    if not wanted or wanted[0] != 0:
        return None
    model = _fitted(splits.train, wanted, language)
    sides = [rows for rows in (splits.calibration, splits.test) if rows]
    good = [place for place in range(len(wanted)) if all(_reaches(model, place, rows) for rows in sides)]
    if 0 not in good:
        return None
    if len(good) < len(wanted):
        wanted = [wanted[place] for place in good]
        model = _fitted(splits.train, wanted, language)
    return model.calibrate(
        [row.text for row in splits.calibration], attribute_matrix(splits.calibration)[:, wanted]
    )


def _fitted(rows: Sequence[CivilityRow], columns: list[int], language: str) -> LinearCivility:
    size = _BYTES_A_LETTER.get(language, 1)
    grams = (3, 5) if size == 1 else (size, 3 * size)
    model = LinearCivility(
        tuple(ATTRIBUTES[column] for column in columns),
        Deobfuscator(),
        HashedNgrams(n_bits=_BITS, char_ngrams=grams),
        C=1.0,
    )
    return model.fit([row.text for row in rows], attribute_matrix(rows)[:, columns])


def _figures(model: LinearCivility, rows: Sequence[CivilityRow]) -> dict[str, Any]:
    truth = attribute_matrix(rows)
    scores = model.predict_proba([row.text for row in rows])
    return {
        attribute: attribute_metrics(scores[:, place], truth[:, ATTRIBUTES.index(attribute)])
        for place, attribute in enumerate(model.attributes)
    }


def _reaches(model: LinearCivility, place: int, rows: Sequence[CivilityRow]) -> bool:
    """Whether an attribute is good enough on these rows; without rows of both classes nothing is said."""
    target = attribute_matrix(rows)[:, ATTRIBUTES.index(model.attributes[place])]
    known = ~np.isnan(target)
    if len(np.unique(target[known])) < 2:
        return True
    score = model.predict_proba([row.text for row in rows])[known, place]
    return bool(roc_auc_score(target[known], score) >= LEAST_AUC)
