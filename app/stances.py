"""The stances of a list of comments, each towards its premises and towards its parent comment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from app.adaptation.learning import AdaptedStance
from app.premise import Premise
from app.rounding import rounded
from app.schemas import Adaptation, SentenceAnswer, Stance, StanceLabel, StanceName
from app.settings import Settings
from models import STANCES, StanceModel
from models.civility import utf16_offsets
from models.evidence import sentence_places
from models.stance import SentenceShare, StanceScores

__all__ = ["AskedStances", "ToldStances", "tell_stances"]


@dataclass(frozen=True, slots=True)
class AskedStances:
    """A comment, and what its stances are towards. What the model cannot read is None here already."""

    comment: str
    premises: Sequence[Premise | None] = ()
    parent: str | None = None
    explain: bool = False
    adapted: Mapping[str, AdaptedStance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToldStances:
    """One stance for each premise, in order, and the one towards the parent; None where None was asked."""

    to_premises: Sequence[Stance | None] = ()
    to_parent: Stance | None = None


class _Case(NamedTuple):
    target: str
    comment: str
    parent: str | None = None


class _Judged(NamedTuple):
    probabilities: NDArray[np.float64]
    relevance: float


def tell_stances(model: StanceModel, asked: Sequence[AskedStances], settings: Settings) -> list[ToldStances]:
    """Return the stances of every comment, in order.

    What is asked of the model more than once is judged once, and everything of one kind in one call. The
    order does not matter for speed: the encoder runs one input at a time, so that no answer depends on
    its neighbours, and has no padding to save.
    """
    towards = list(
        dict.fromkeys(_Case(p.text, one.comment, one.parent) for one in asked for p in one.premises if p)
    )
    replies = list(dict.fromkeys(_Case(one.parent, one.comment) for one in asked if one.parent is not None))
    if not towards and not replies:  # an empty call of the models takes as long as a comment's civility
        return [ToldStances([None] * len(one.premises)) for one in asked]
    by_premise = _judged(towards, model.assess(_pairs(towards), parents=[case.parent for case in towards]))
    by_parent = _judged(replies, model.assess_replies(_pairs(replies)))
    shares = _shares(model, asked, settings.explain_sentences)
    told = []
    for one in asked:
        to_premises: list[Stance | None] = []
        for premise in one.premises:
            if premise is None:
                to_premises.append(None)
                continue
            judged = by_premise[_Case(premise.text, one.comment, one.parent)]
            known: dict[str, object] = {"premise_source": premise.source}
            if one.explain:
                known["sentences"] = _sentences(one.comment, shares.get((premise.text, one.comment), ()))
            adapted = one.adapted.get(premise.text)
            if adapted is not None:
                known["adaptation"] = _adaptation(adapted, judged, model.floor_, settings.relevance_floor)
                judged = judged._replace(probabilities=adapted.probabilities(judged.probabilities))
            to_premises.append(_stance(premise.text, judged, model.floor_, settings.relevance_floor, known))
        to_parent = None
        if one.parent is not None:
            judged = by_parent[_Case(one.parent, one.comment)]
            to_parent = _stance(one.parent, judged, model.reply_floor, settings.relevance_floor, {})
        told.append(ToldStances(to_premises, to_parent))
    return told


def _pairs(cases: Sequence[_Case]) -> list[tuple[str, str]]:
    return [(case.target, case.comment) for case in cases]


def _judged(cases: Sequence[_Case], scores: StanceScores) -> dict[_Case, _Judged]:
    rows = zip(cases, scores.probabilities, scores.relevance, strict=True)
    return {case: _Judged(probabilities, float(relevance)) for case, probabilities, relevance in rows}


def _shares(
    model: StanceModel, asked: Sequence[AskedStances], most: int
) -> dict[tuple[str, str], list[SentenceShare]]:
    explained = list(
        dict.fromkeys(
            (premise.text, one.comment)
            for one in asked
            if one.explain and len(sentence_places(one.comment)) * len(one.premises) <= most
            for premise in one.premises
            if premise is not None
        )
    )
    return dict(zip(explained, model.explain(explained), strict=True))


def _stance(
    target: str, judged: _Judged, floor: float, relevance_floor: float, known: Mapping[str, object]
) -> Stance:
    label, probabilities = _told(judged, floor, relevance_floor)
    return Stance.model_validate(
        {
            "label": label,
            "confidence": max(probabilities.values()),
            "probabilities": probabilities,
            "relevance": rounded(judged.relevance),
            "premise": target,
            **known,
        }
    )


def _adaptation(adapted: AdaptedStance, general: _Judged, floor: float, relevance_floor: float) -> Adaptation:
    label, probabilities = _told(general, floor, relevance_floor)
    return Adaptation(
        labels=adapted.labels, version=adapted.version, general_label=label, general=probabilities
    )


def _told(
    judged: _Judged, floor: float, relevance_floor: float
) -> tuple[StanceLabel, dict[StanceName, float]]:
    row = judged.probabilities
    probabilities = {cast(StanceName, name): rounded(value) for name, value in zip(STANCES, row, strict=True)}
    likeliest = max(probabilities, key=lambda name: probabilities[name])
    # The largest takes what rounding left over, so that the three still sum to 1.
    probabilities[likeliest] = rounded(1 - sum(p for name, p in probabilities.items() if name != likeliest))
    decided = float(row.max()) >= floor and rounded(judged.relevance) >= relevance_floor
    return likeliest if decided else "uncertain", probabilities


def _sentences(comment: str, shares: Sequence[SentenceShare]) -> list[SentenceAnswer]:
    utf16 = utf16_offsets(comment)
    return [
        SentenceAnswer(
            begin=share.begin,
            end=share.end,
            utf16_begin=int(utf16[share.begin]),
            utf16_end=int(utf16[share.end]),
            stance=cast(StanceName, share.stance),
            score=rounded(share.score),
        )
        for share in sorted(shares, key=lambda share: -abs(share.score))
    ]
