"""The recipe of the civility model: which sets, which weights, which split."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data import CivilityRow, SplitPlan, Splits, attribute_matrix, read_civility, split
from data.identities import IDENTITY_SOURCE, identity_rows
from models import ATTRIBUTES, CivilityModel
from models.features import HashedNgrams
from training.metrics import attribute_metrics

__all__ = ["CIVILITY_SOURCES", "civility_splits", "judge_civility", "train_civility"]

NEUTRAL_SOURCE = "identity-templates"
CIVILITY_SOURCES: dict[str, float] = {
    "jigsaw-toxic-comments": 1.0,
    "wiki-toxicity-context": 1.0,
    "fox-news-comments": 0.5,
    "reddit-incivility": 0.5,
    "davidson-2017": 0.2,
    "paradetox": 0.3,
    NEUTRAL_SOURCE: 1.0,
    IDENTITY_SOURCE: 2.0,
}
"""English sets that train the model, with the weight of a row.

Left out: toxic-spans, whose rows are nearly all toxic, so that the news topics themselves would be
learnt as toxic; the templates of identity-templates, on which bias is measured (its neutral
Wikipedia sentences train). Tweets and rewritten sentences weigh
less: they are unlike comments, and half of them are toxic.
"""


_NATURAL = frozenset({"jigsaw-toxic-comments", "wiki-toxicity-context"})
"""Sets in which comments are as toxic as they come: on these the model is calibrated."""


def civility_splits(data_dir: Path, plan: SplitPlan | None = None) -> Splits[CivilityRow]:
    """Read and split the sets of the recipe; sentences on identities written for it only train.

    The templates of identity-templates go to no side: they measure bias.

    Raises:
        DataError: a file is missing or malformed.
    """
    public = [source for source in CIVILITY_SOURCES if source != IDENTITY_SOURCE]
    rows = [row for row in read_civility(data_dir, public) if not row.group.startswith("template:")]
    splits = split(rows, plan)
    splits.train.extend(identity_rows())
    return splits


def train_civility(splits: Splits[CivilityRow], *, C: float = 4.0, n_bits: int = 19) -> CivilityModel:
    """Fit on the training rows and calibrate on the calibration rows."""
    rows = splits.train
    weights = np.array([CIVILITY_SOURCES[row.source] for row in rows])
    model = CivilityModel(HashedNgrams(n_bits=n_bits), C=C, n_jobs=2)
    model.fit([row.text for row in rows], attribute_matrix(rows), sample_weight=weights)
    natural = [row for row in splits.calibration if row.source in _NATURAL]
    return model.calibrate([row.text for row in natural], attribute_matrix(natural))


def judge_civility(model: CivilityModel, rows: Sequence[CivilityRow]) -> dict[str, Any]:
    """Return held-out figures by source and attribute; `rows` must be the test rows."""
    probabilities = model.predict_proba([row.text for row in rows])
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
