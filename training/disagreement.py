"""Whether civil disagreement scores as less civil than agreement: TOXICITY by stance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import LeftOutError
from training.judged import Judged, drawn, figure

__all__ = ["SOURCES", "disagreement_gap", "judge_disagreement"]

SOURCES = ("arc", "ibm-argq-rank-30k")
"""Readers' comments that a newspaper published, and arguments written by a crowd: both mostly civil."""

_SIDES = ("agree", "disagree")
_DRAWS = 2000


def judge_disagreement(judged: Judged) -> dict[str, Any]:
    """Return for each set the TOXICITY of those who agree and disagree with its premises.

    Raises:
        LeftOutError: the stance sets are not here, or hold no such rows.
    """
    found: dict[str, Any] = {variant.name: {} for variant in judged.variants}
    for source in SOURCES:
        related = [row for row in judged.rows.stance if row.source == source and row.label in _SIDES]
        rows = drawn(related, judged.rows.sample, judged.seed)
        if {row.label for row in rows} != set(_SIDES):
            continue
        labels, groups = [row.label for row in rows], [row.group for row in rows]
        for variant in judged.variants:
            toxicity = variant.toxicity([row.text for row in rows])
            found[variant.name][source] = disagreement_gap(toxicity, labels, groups, judged.seed)
    if not any(found.values()):
        raise LeftOutError("no test rows agree and disagree with a premise")
    return {"split": "test", "seed": judged.seed, "interval": f"95 %, {_DRAWS} draws", "variants": found}


def disagreement_gap(
    toxicity: NDArray[np.float64], labels: Sequence[str], groups: Sequence[str], seed: int
) -> dict[str, Any]:
    """Return what agreement and disagreement score, and the gap between them.

    Args:
        toxicity: shape (n,), in [0, 1].
        labels: n of "agree", "disagree", both occurring.
        groups: n debates or motions, which the bootstrap draws whole.
        seed: of the bootstrap.

    Returns:
        by label rows, mean, at_half and at_0_3 (shares that reach 0.5 and 0.3); of each of the three
        the gap, disagree less agree, in points (hundredths), with its 95 % bootstrap interval.
    """
    label, group = np.array(labels), np.unique(np.array(groups), return_inverse=True)[1]
    measures = {"mean": toxicity, "at_half": toxicity >= 0.5, "at_0_3": toxicity >= 0.3}
    found: dict[str, Any] = {"groups": int(group.max()) + 1}
    for side in _SIDES:
        of_side = label == side
        shares = {name: figure(values[of_side].mean()) for name, values in measures.items()}
        found[side] = {"rows": int(of_side.sum()), **shares}
    weights = _draws(int(group.max()) + 1, seed)
    found["gap"] = {name: _gap(values, label, group, weights) for name, values in measures.items()}
    return found


def _draws(groups: int, seed: int) -> NDArray[np.int64]:
    """How often each group is drawn, shape (1 + _DRAWS, groups); the first line takes each once."""
    drawn_groups = np.random.RandomState(seed).multinomial(groups, np.full(groups, 1 / groups), _DRAWS)
    return np.vstack([np.ones(groups, dtype=np.int64), drawn_groups])


def _gap(
    values: NDArray[Any], label: NDArray[np.str_], group: NDArray[np.int64], weights: NDArray[np.int64]
) -> dict[str, Any]:
    means = {}
    for side in _SIDES:
        of_side = (label == side).astype(float)
        rows = weights @ np.bincount(group, of_side)
        total = weights @ np.bincount(group, of_side * values)
        means[side] = np.divide(total, rows, out=np.full(len(rows), np.nan), where=rows > 0)
    gaps = 100 * (means["disagree"] - means["agree"])
    low, high = np.nanpercentile(gaps[1:], (2.5, 97.5)) if np.isfinite(gaps[1:]).any() else (gaps[0], gaps[0])
    return {"points": figure(gaps[0]), "interval": [figure(low), figure(high)]}
