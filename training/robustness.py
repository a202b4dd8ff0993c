"""What hides an insult: disguised spelling, and a long comment around it."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from data import CivilityRow
from data.checks import load_civility_checks
from data.weak import PUBLISHED_SOURCE
from models import ATTRIBUTES
from training.checks import THRESHOLD
from training.errors import LeftOutError
from training.evasions import EVASIONS, disguise
from training.heldout import MAIN_SOURCE
from training.judged import Judged, Variant, drawn, figure

__all__ = ["buried", "judge_evasion", "judge_long_comments"]

SHARES = (0.5, 1.0)
_CIVIL, _TOXIC = 2000, 1000
_LONG = 1000
_PROBES, _PROBE_LENGTH = 200, 20_000
_INSULTS = "insult_with_swearing"


def judge_evasion(judged: Judged) -> dict[str, Any]:
    """Return the AUC of TOXICITY before and after each kind of disguise of civil and toxic comments alike.

    Raises:
        LeftOutError: jigsaw-toxic-comments is not here, or has one class only.
    """
    civil, toxic = _by_class(judged)
    rows = judged.rows
    civil = drawn(civil, rows.at_most(_CIVIL), judged.seed)
    texts = [*civil, *drawn(toxic, rows.at_most(_TOXIC), judged.seed)]
    truth = np.arange(len(texts)) >= len(civil)
    disguised = {
        kind: {str(share): _disguised(texts, kind, share, judged.seed) for share in SHARES}
        for kind in EVASIONS
    }
    found = {}
    for variant in judged.variants:
        before = _classes(variant, texts, truth)
        kinds = {
            kind: {
                share: _lost(before, _classes(variant, of_share, truth)) for share, of_share in one.items()
            }
            for kind, one in disguised.items()
        }
        found[variant.name] = {"before": before, "kinds": kinds}
    sizes = {"civil": len(civil), "toxic": len(texts) - len(civil)}
    return {"split": "test", "seed": judged.seed, "source": MAIN_SOURCE, "rows": sizes, "variants": found}


def judge_long_comments(judged: Judged) -> dict[str, Any]:
    """Return the AUC of TOXICITY on long comments, and whether one insult at the end of many is seen.

    Raises:
        LeftOutError: neither jigsaw-toxic-comments nor the published comments are here.
    """
    found: dict[str, Any] = {"split": "test", "seed": judged.seed, "variants": {}}
    long: dict[bool, list[str]] = {}
    probes: tuple[list[str], list[str]] = ([], [])
    try:
        for toxic, texts in zip((False, True), _by_class(judged), strict=True):
            long[toxic] = [text for text in texts if len(text) > _LONG]
    except LeftOutError as error:
        found["natural_left_out"] = str(error)
    try:
        probes = _probes(judged)
    except LeftOutError as error:
        found["buried_left_out"] = str(error)
    if not all(long.get(toxic) for toxic in (False, True)) and not probes[0]:
        raise LeftOutError(found.get("natural_left_out") or "no long comments")
    for variant in judged.variants:
        one: dict[str, Any] = {}
        if all(long.get(toxic) for toxic in (False, True)):
            texts = [*long[False], *long[True]]
            truth = np.arange(len(texts)) >= len(long[False])
            one["natural"] = {
                "source": MAIN_SOURCE,
                "longer_than": _LONG,
                "rows": len(texts),
                "positives": len(long[True]),
                "roc_auc": figure(roc_auc_score(truth, variant.toxicity(texts))),
            }
        if probes[0]:
            without, within = (variant.toxicity(texts) >= THRESHOLD for texts in probes)
            one["buried"] = {
                "rows": len(without),
                "characters": figure(np.mean([len(text) for text in probes[0]])),
                "at_half_without": figure(without.mean()),
                "at_half_with": figure(within.mean()),
            }
        found["variants"][variant.name] = one
    return found


def buried(
    comments: Sequence[str], insults: Sequence[str], size: int, length: int
) -> tuple[list[str], list[str]]:
    """Return `size` long texts of civil comments one after another, and the same with an insult at the end.

    Args:
        comments: civil comments, at least one of them not empty; text i begins with the i-th.
        insults: what stands at the end, in turn.
        size: number of texts.
        length: characters from which a text is long enough.
    """
    without = []
    for first in range(size):
        parts: list[str] = []
        place, total = first, 0
        while total < length:
            parts.append(comments[place % len(comments)])
            place, total = place + 1, total + len(parts[-1]) + 1
        without.append(" ".join(parts))
    return without, [f"{text} {insults[i % len(insults)]}" for i, text in enumerate(without)]


def _probes(judged: Judged) -> tuple[list[str], list[str]]:
    comments = [row.text for row in judged.rows.side(PUBLISHED_SOURCE) if row.text.strip()]
    insults = [text for one in load_civility_checks() if one.name == _INSULTS for text in one.toxic]
    if not comments or not insults:
        raise LeftOutError("no published comments, or no insults among the checks")
    random.Random(judged.seed).shuffle(comments)
    return buried(comments, insults, judged.rows.at_most(_PROBES), _PROBE_LENGTH)


def _by_class(judged: Judged) -> tuple[list[str], list[str]]:
    rows: list[CivilityRow] = judged.rows.side(MAIN_SOURCE)
    column = ATTRIBUTES.index("TOXICITY")
    civil, toxic = ([row.text for row in rows if row.attributes[column] == label] for label in (0, 1))
    if not civil or not toxic:
        raise LeftOutError(f"{MAIN_SOURCE} has one class only")
    return civil, toxic


def _disguised(texts: Sequence[str], kind: str, share: float, seed: int) -> list[str]:
    return [disguise(text, kind, share, seed + place) for place, text in enumerate(texts)]


def _classes(variant: Variant, texts: Sequence[str], truth: NDArray[np.bool_]) -> dict[str, float]:
    toxicity = variant.toxicity(texts)
    reached = toxicity >= THRESHOLD
    return {
        "roc_auc": figure(roc_auc_score(truth, toxicity)),
        "civil_at_half": figure(reached[~truth].mean()),
        "toxic_at_half": figure(reached[truth].mean()),
    }


def _lost(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {**after, "lost": figure(before["roc_auc"] - after["roc_auc"])}
