"""From opinions on an article's comments to a head that adapts stances there.

Nobody knows who sends feedback, only under which name. So no source has more than a quarter of its
peers' weight, readers have at most 30 % beside moderators, and alone they change nothing.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.store.stances import StanceOpinion
from models import StanceModel
from models.adaptation import StanceAdaptation
from models.shares import weights_by_role
from models.stance import STANCE_LANGUAGES

__all__ = ["FEWEST_COMMENTS", "MOST_COMMENTS", "AdaptedStance", "learn"]

FEWEST_COMMENTS = 5
"""Labelled comments of an article below which its stances are the general model's."""
MOST_COMMENTS = 50
"""Labelled comments that are learnt from: each is read once by the encoder."""

_READERS_WEIGHT = 0.25
_MOST_A_SOURCE = 0.25
_MOST_OF_READERS = 0.3
_VERSION_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class AdaptedStance:
    """The stances towards one premise of one article.

    Attributes:
        head: turns the general model's probabilities into the article's.
        labels: distinct comments whose labels count.
        version: names labels, their weights and the general model: the same name, the same head.
    """

    head: StanceAdaptation
    labels: int
    version: str

    def probabilities(self, general: ArrayLike) -> NDArray[np.float64]:
        """Return the adapted probabilities, shape (3,), columns as in `STANCES`."""
        adapted: NDArray[np.float64] = self.head.predict_proba(general)[0]
        return adapted


def learn(
    model: StanceModel, model_version: str, premise: str, opinions: Sequence[StanceOpinion]
) -> AdaptedStance | None:
    """Return the head for an article, or None where too little is known.

    Args:
        model: the general model.
        model_version: its bundle's.
        premise: what the stances are towards.
        opinions: moderators' first, then newest first.
    """
    chosen = _chosen(opinions)
    comments = {one.digest: one.text for one in chosen}
    readers = _readers(opinions)
    if len(comments) < FEWEST_COMMENTS or all(one.source in readers for one in chosen):
        return None
    weights = _weights(chosen, readers)
    said = dict(
        zip(comments, model.predict_proba([(premise, text) for text in comments.values()]), strict=True)
    )
    head = StanceAdaptation().fit(
        np.stack([said[one.digest] for one in chosen]), [one.stance for one in chosen], weights
    )
    return AdaptedStance(head, len(comments), _version(model_version, premise, chosen, weights))


def _chosen(opinions: Sequence[StanceOpinion]) -> list[StanceOpinion]:
    """Of a source the newest on a comment; comments by turns of the sources, moderators' first."""
    by_source: dict[tuple[bool, str], dict[str, StanceOpinion]] = defaultdict(dict)
    for one in opinions:
        if not one.languages or STANCE_LANGUAGES & {tag.split("-")[0].lower() for tag in one.languages}:
            by_source[not one.moderator, one.source].setdefault(one.digest, one)
    turns = [
        (is_reader, turn, source, one)
        for (is_reader, source), of_source in sorted(by_source.items())
        for turn, one in enumerate(of_source.values())
    ]
    ordered = [one for *_, one in sorted(turns, key=lambda turn: turn[:3])]
    comments = list(dict.fromkeys(one.digest for one in ordered))[:MOST_COMMENTS]
    return [one for one in ordered if one.digest in comments]


def _readers(opinions: Sequence[StanceOpinion]) -> set[str]:
    # One name used both as a moderator's and otherwise is trusted as the lesser of them.
    return {one.source for one in opinions if not one.moderator}


def _weights(chosen: Sequence[StanceOpinion], readers: set[str]) -> NDArray[np.float64]:
    own = np.array([_READERS_WEIGHT if one.source in readers else 1.0 for one in chosen])
    totals: dict[str, float] = defaultdict(float)
    for one, weight in zip(chosen, own.tolist(), strict=True):
        totals[one.source] += weight
    allowed = weights_by_role(
        totals,
        {source: source not in readers for source in totals},
        most_a_source=_MOST_A_SOURCE,
        most_of_readers=_MOST_OF_READERS,
    )
    weights: NDArray[np.float64] = own * np.array(
        [allowed[one.source] / totals[one.source] for one in chosen]
    )
    return weights


def _version(
    model_version: str, premise: str, chosen: Sequence[StanceOpinion], weights: NDArray[np.float64]
) -> str:
    used = [
        [one.digest, one.stance, round(weight, 9)]
        for one, weight in zip(chosen, weights.tolist(), strict=True)
    ]
    text = json.dumps([model_version, premise, sorted(used)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_VERSION_CHARACTERS]
