"""Unintended bias by identity (Borkan et al. 2019), measured on the English identity templates."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from data.rows import ATTRIBUTES
from training.errors import LeftOutError
from training.judged import Judged, drawn, figure

__all__ = ["IDENTITIES", "bias_by_identity", "identities_of", "identity_aucs", "judge_bias", "power_mean"]

IDENTITIES = (
    *("african", "african american", "american", "asian", "bisexual", "black", "blind", "buddhist"),
    *("canadian", "catholic", "chinese", "christian", "deaf", "elderly", "european", "female", "gay"),
    *("heterosexual", "hispanic", "homosexual", "indian", "japanese", "jewish", "latina", "latino"),
    *("latinx", "lesbian", "lgbt", "lgbtq", "male", "mexican", "middle aged", "middle eastern"),
    *("millenial", "muslim", "nonbinary", "old", "older", "paralyzed", "protestant", "queer", "sikh"),
    *("straight", "taoist", "teenage", "trans", "transgender", "white", "young", "younger"),
)
"""The identities of the templates, spelt as there."""

POWER = -5.0
_AUCS = ("subgroup_auc", "bpsn_auc", "bnsp_auc")
_IDENTITY = re.compile(rf"\b(?:{'|'.join(sorted(IDENTITIES, key=len, reverse=True))})\b")
_WORST = 5


def judge_bias(judged: Judged) -> dict[str, Any]:
    """Return the figures of every identity for TOXICITY, by variant.

    Raises:
        LeftOutError: the templates are not here, or name no identity.
    """
    rows = drawn(judged.rows.templates(), judged.rows.sample, judged.seed)
    texts = [row.text for row in rows]
    toxic = np.array([row.attributes[ATTRIBUTES.index("TOXICITY")] == 1 for row in rows], dtype=bool)
    if len(set(toxic.tolist())) < 2 or not any(map(identities_of, texts)):
        raise LeftOutError("the identity templates at hand hold no identity, or one label only")
    return {
        "split": "English identity templates, which train nothing",
        "seed": judged.seed,
        "rows": len(rows),
        "variants": {
            variant.name: bias_by_identity(texts, toxic, variant.toxicity(texts))
            for variant in judged.variants
        },
    }


def identities_of(text: str) -> set[str]:
    """Return the identities that a template names; "african american" is not "african" too."""
    return set(_IDENTITY.findall(text))


def bias_by_identity(
    texts: Sequence[str], toxic: NDArray[np.bool_], score: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the figures of each identity, and what sums them up.

    Args:
        texts: n texts.
        toxic: shape (n,).
        score: shape (n,), in [0, 1].

    Returns:
        overall_auc; power_mean of each AUC over identities (p = -5) and final, a quarter of each of
        these four; worst, the identities with the lowest AUC each; false_positive_rate at 0.5 over
        identities; by identity its AUCs, rows, and of its civil rows the median, the 90th percentile
        and the share that reach 0.5.
    """
    named = [identities_of(text) for text in texts]
    by_identity = {}
    for identity in IDENTITIES:
        member = np.array([identity in names for names in named], dtype=bool)
        if len(np.unique(toxic[member])) == len(np.unique(toxic[~member])) == 2:
            civil = score[member & ~toxic]
            by_identity[identity] = {
                "rows": int(member.sum()),
                **{name: figure(auc) for name, auc in identity_aucs(toxic, score, member).items()},
                "civil_median": figure(np.median(civil)),
                "civil_90th_percentile": figure(np.percentile(civil, 90)),
                "false_positive_rate": figure((civil >= 0.5).mean()),
            }
    if not by_identity:
        return {"identities": {}}
    overall = roc_auc_score(toxic, score)
    means = {name: power_mean([one[name] for one in by_identity.values()]) for name in _AUCS}
    rates = [one["false_positive_rate"] for one in by_identity.values()]
    return {
        "overall_auc": figure(overall),
        "power_mean": {name: figure(mean) for name, mean in means.items()},
        "final": figure((overall + sum(means.values())) / 4),
        "worst": {
            name: sorted(by_identity, key=lambda identity: by_identity[identity][name])[:_WORST]
            for name in _AUCS
        },
        "false_positive_rate": {
            "lowest": min(rates),
            "median": figure(np.median(rates)),
            "highest": max(rates),
        },
        "identities": by_identity,
    }


def identity_aucs(
    toxic: NDArray[np.bool_], score: NDArray[np.float64], member: NDArray[np.bool_]
) -> dict[str, float]:
    """Return the three AUCs of one identity (Borkan et al. 2019), each over a part of the rows.

    Args:
        toxic: shape (n,).
        score: shape (n,).
        member: shape (n,), which rows name the identity; both classes must occur there and elsewhere.

    Returns:
        subgroup_auc over its own rows; bpsn_auc over toxic rows of the background and civil ones of
        the identity (low: civil sentences about it score too high); bnsp_auc over civil rows of the
        background and toxic ones of the identity (low: attacks on it score too low).
    """
    parts = {
        "subgroup_auc": member,
        "bpsn_auc": np.where(toxic, ~member, member),
        "bnsp_auc": np.where(toxic, member, ~member),
    }
    return {name: float(roc_auc_score(toxic[part], score[part])) for name, part in parts.items()}


def power_mean(values: Sequence[float], power: float = POWER) -> float:
    """Return the generalised mean of values in [0, 1]; with a negative power the low ones count most."""
    if min(values) <= 0:
        return 0.0
    return float(np.mean(np.asarray(values, dtype=float) ** power) ** (1 / power))
