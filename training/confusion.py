"""How often the models tell which label of held-out rows: what an article's summary is adjusted by."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data import CivilityRow, StanceRow, load_plan
from models import ATTRIBUTES, StanceModel
from training.civility_sets import NATURAL
from training.stance import READERS, judged_rows

__all__ = ["UNCIVIL", "civility_confusion", "stance_confusion"]

UNCIVIL = 0.5
"""TOXICITY from which a comment counts as uncivil."""

_TOXICITY = ATTRIBUTES.index("TOXICITY")


def stance_confusion(model: StanceModel, rows: Sequence[StanceRow]) -> dict[str, Any]:
    """Count the labels told by the true ones over readers' comments; `rows` must be the test split.

    The rows are those of `judged_rows`. A comment that does not bear on the premise takes no side: its true
    label counts as neutral.
    """
    by_source = judged_rows(rows, load_plan().seed)
    judged = [row for source in READERS for row in by_source.get(source, [])]
    told = model.predict([(row.premise, row.text) for row in judged])
    truth = ["neutral" if row.label == "unrelated" else row.label for row in judged]
    return _counted("test", {row.source for row in judged}, truth, [str(label) for label in told])


def civility_confusion(
    score: Callable[[Sequence[str]], NDArray[np.float64]], rows: Sequence[CivilityRow]
) -> dict[str, Any]:
    """Count civil and uncivil as told by the true ones over natural comments of the test split, `rows`."""
    judged = [row for row in rows if row.source in NATURAL and row.attributes[_TOXICITY] in (0.0, 1.0)]
    scores = score([row.text for row in judged])[:, _TOXICITY]
    truth = ["uncivil" if row.attributes[_TOXICITY] else "civil" for row in judged]
    told = ["uncivil" if score >= UNCIVIL else "civil" for score in scores]
    return {"threshold": UNCIVIL} | _counted("test", {row.source for row in judged}, truth, told)


def _counted(split: str, sources: set[str], truth: Sequence[str], told: Sequence[str]) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for (true, given), number in sorted(Counter(zip(truth, told, strict=True)).items()):
        counts.setdefault(true, {})[given] = number
    return {"split": split, "sources": sorted(sources), "counts": counts}
