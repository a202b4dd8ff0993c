"""What feedback teaches: comments with the rate at which it was said that they show an attribute."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from data import SplitPlan, StanceRow
from data.feedback import Opinion
from data.rows import ATTRIBUTES, UNKNOWN
from training.retraining.guards import Reviewed

__all__ = ["FEEDBACK_SOURCE", "Lesson", "Lessons", "lessons_of", "weight_shares"]

FEEDBACK_SOURCE = "feedback"
_ENGLISH = "en"


@dataclass(frozen=True)
class Lesson:
    """n distinct comments.

    Attributes:
        texts: n texts.
        labels: shape (n, 6): the weighted mean of the labels of those who judged, NaN where nobody did. So
            moderators who disagree make a rate, not a winner.
        weights: shape (n,): what the opinions on the comment count together.
        communities: n names, "" where none or several are known.
    """

    texts: list[str]
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]
    communities: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def __add__(self, other: "Lesson") -> "Lesson":
        return Lesson(
            [*self.texts, *other.texts],
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.weights, other.weights]),
            [*self.communities, *other.communities],
        )


@dataclass(frozen=True)
class Lessons:
    """Both tasks by side: "train", "calibration" and "test", as the project's split plan has them.

    A stance row is one (premise, comment, stance) with what the opinions for it count; those who disagree
    make several rows.
    """

    civility: dict[str, Lesson]
    stance: dict[str, list[StanceRow]]


def lessons_of(reviewed: Reviewed, plan: SplitPlan) -> Lessons:
    """Gather opinions by comment and divide the comments by the plan."""
    by_text: dict[str, list[tuple[Opinion, float]]] = defaultdict(list)
    for opinion, weight in zip(reviewed.opinions, reviewed.weights.tolist(), strict=True):
        if not opinion.languages or _ENGLISH in {one.split("-")[0] for one in opinion.languages}:
            by_text[opinion.group].append((opinion, weight))
    sides: dict[str, list[list[tuple[Opinion, float]]]] = {"train": [], "calibration": [], "test": []}
    for group, opinions in by_text.items():
        sides[plan.side(group)].append(opinions)
    return Lessons(
        {side: _lesson(of_side) for side, of_side in sides.items()},
        {
            side: [row for opinions in of_side for row in _stance_rows(opinions)]
            for side, of_side in sides.items()
        },
    )


def weight_shares(lesson: Lesson) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Return texts, labels and weights with hard labels only: a rate becomes a weighted yes and no."""
    texts, labels, weights = [], [], []
    for text, of_text, weight in zip(lesson.texts, lesson.labels, lesson.weights, strict=True):
        levels = np.unique(np.concatenate([[0.0, 1.0], of_text[~np.isnan(of_text)]]))
        # Between two neighbouring rates the same attributes are shown, so each step is one hard row.
        for low, high in pairwise(levels):
            shown = np.where(np.isnan(of_text), UNKNOWN, (of_text >= high).astype(float))
            texts.append(text)
            labels.append(shown)
            weights.append(weight * (high - low))
    return texts, np.array(labels).reshape(-1, len(ATTRIBUTES)), np.array(weights)


def _lesson(comments: Iterable[Sequence[tuple[Opinion, float]]]) -> Lesson:
    texts, labels, weights, communities = [], [], [], []
    for opinions in comments:
        judged = [(opinion, weight) for opinion, weight in opinions if opinion.labels]
        if not judged:
            continue
        rates = np.full(len(ATTRIBUTES), UNKNOWN)
        for column, name in enumerate(ATTRIBUTES):
            said = [(opinion.labels[name], weight) for opinion, weight in judged if name in opinion.labels]
            if said:
                rates[column] = np.average([one for one, _ in said], weights=[one for _, one in said])
        texts.append(judged[-1][0].text)
        labels.append(np.clip(rates, 0, 1))
        weights.append(sum(weight for _, weight in judged))
        found = {opinion.community for opinion, _ in judged}
        communities.append(found.pop() or "" if len(found) == 1 else "")
    return Lesson(texts, np.array(labels).reshape(-1, len(ATTRIBUTES)), np.array(weights), communities)


def _stance_rows(opinions: Sequence[tuple[Opinion, float]]) -> list[StanceRow]:
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for opinion, weight in opinions:
        if opinion.stance and opinion.premise:
            weights[opinion.premise, opinion.stance] += weight
    one = opinions[-1][0]
    return [
        StanceRow(premise, one.text, stance, FEEDBACK_SOURCE, one.group, weight=weight)
        for (premise, stance), weight in weights.items()
    ]
