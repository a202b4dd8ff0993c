"""Guards against poisoning: which sources count, and how much.

Nobody knows who sends feedback, only under which name and, where keys are asked for, with which key. A name
is worth as much as the key with which it comes: with another key it is another source. So no name and no
key may outweigh the others, nobody is quicker than a person can read, and who contradicts everybody is left
out and reported. What passes all the same meets the gates.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.feedback import Opinion
from data.rows import ATTRIBUTES
from models.shares import weights_by_role
from training.retraining.settings import FeedbackSettings, GuardSettings
from training.retraining.sources import Source, Who, key_table, source_table, who_said

__all__ = ["Reviewed", "newest_only", "review"]

_HOUR = timedelta(hours=1)
_Z = 1.645  # one-sided 95 %
_STANCE = "stance"
_FAR = 0.5


@dataclass(frozen=True)
class Reviewed:
    """What counts of the feedback.

    Attributes:
        opinions: n opinions, oldest first.
        weights: shape (n,): what each counts.
        report: sources, keys and outliers as plain values; no comment's text.
    """

    opinions: list[Opinion]
    weights: NDArray[np.float64]
    report: dict[str, Any]


def newest_only(opinions: Iterable[Opinion]) -> list[Opinion]:
    """Return what counts, oldest first: of a source the newest on a comment, and of a token the newest.

    What came with another key is another source's, whatever name it gives: no key takes back what came with
    another. The comment is its text, whatever its spelling of case and spaces, and where there is a stance
    the premise: an opinion said a thousand times is one opinion.
    """
    ordered = sorted(opinions, key=lambda one: one.received)
    by_token: dict[object, Opinion] = {}
    for place, one in enumerate(ordered):
        named = one.client_token is not None
        by_token[(who_said(one), one.community, one.client_token) if named else place] = one
    counting: dict[object, Opinion] = {}
    for one in sorted(by_token.values(), key=lambda one: one.received):
        said = (who_said(one), one.group, one.premise if one.stance else None)
        counting.pop(said, None)
        counting[said] = one
    return list(counting.values())


def review(
    opinions: Sequence[Opinion],
    champion: NDArray[np.float64],
    feedback: FeedbackSettings,
    guards: GuardSettings,
) -> Reviewed:
    """Return what counts of the opinions, and why the rest does not.

    Args:
        opinions: n opinions, as `newest_only` returns them.
        champion: shape (n, 6): what the champion says of their comments.
        feedback: what an opinion counts.
        guards: what a source may do.
    """
    sources = _sources(opinions, guards.most_an_hour)
    judged = [place for source in sources.values() for place in source.opinions]
    _compare_with_others(opinions, judged, sources)
    _compare_with_champion(opinions, champion, sources)
    _leave_out(sources, guards)
    kept = sorted(place for source in sources.values() if not source.left_out for place in source.opinions)
    for place in kept:
        sources[who_said(opinions[place])].own_weight += _weight(opinions[place], feedback)
    _bound(sources, guards)
    said_by = [sources[who_said(opinions[place])] for place in kept]
    own = np.array([_weight(opinions[place], feedback) for place in kept])
    return Reviewed(
        [opinions[place] for place in kept],
        own * np.array([one.weight / one.own_weight for one in said_by]),
        {
            "opinions": len(opinions),
            "counting": len(kept),
            "sources": source_table(sources.values()),
            "keys": key_table(sources.values(), guards.believed_keys),
            "outliers": _outliers(opinions, champion, kept, guards.outliers),
        },
    )


def _sources(opinions: Sequence[Opinion], most_an_hour: int) -> dict[Who, Source]:
    """Gather each source's opinions, without those that came too fast."""
    sources: dict[Who, Source] = {}
    for place, one in enumerate(opinions):
        source = sources.setdefault(who_said(one), Source(who_said(one), True))
        # One name used both as a moderator's and otherwise is trusted as the lesser of them.
        source.moderator = source.moderator and one.is_moderator
        source.given += 1
        recent = source.opinions[-most_an_hour:]
        if len(recent) == most_an_hour and one.received - opinions[recent[0]].received < _HOUR:
            source.too_fast += 1
        else:
            source.opinions.append(place)
    return sources


def _compare_with_others(
    opinions: Sequence[Opinion], places: Sequence[int], sources: dict[Who, Source]
) -> None:
    said: dict[tuple[str, ...], list[tuple[Source, float | str]]] = defaultdict(list)
    for place in places:
        one = opinions[place]
        for name, label in one.labels.items():
            said[one.group, name].append((sources[who_said(one)], label))
        if one.stance and one.premise:
            said[one.group, _STANCE, one.premise].append((sources[who_said(one)], one.stance))
    for judgements in said.values():
        if len(judgements) < 2:
            continue
        by_moderators = [entry for entry in judgements if entry[0].moderator]
        for source, opinion in judgements:
            # Moderators answer to moderators only: else many names could outvote them.
            peers = by_moderators if by_moderators else judgements
            others = [value for other, value in peers if other is not source]
            if others:
                source.shared += 1
                source.against_others += _contradicts(opinion, others)


def _contradicts(label: float | str, others: Sequence[float | str]) -> bool:
    if isinstance(label, str):
        return sum(other == label for other in others) * 2 < len(others)
    mean = sum(float(other) for other in others) / len(others)
    return abs(label - mean) > _FAR


def _compare_with_champion(
    opinions: Sequence[Opinion], champion: NDArray[np.float64], sources: dict[Who, Source]
) -> None:
    for source in sources.values():
        for place in source.opinions:
            for name, label in opinions[place].labels.items():
                source.judged += 1
                said = float(champion[place, ATTRIBUTES.index(name)])
                source.against_champion += abs(label - said) > _FAR


def _leave_out(sources: dict[Who, Source], guards: GuardSettings) -> None:
    for source in sources.values():
        rest = (one for one in sources.values() if one is not source)
        if source.shared >= guards.fewest_shared:
            usual = _median_rate(
                (one.against_others, one.shared) for one in rest if one.shared >= guards.fewest_shared
            )
            if _lower(source.against_others, source.shared) > (usual or 0.0) + guards.contradicts_more:
                source.left_out = "contradicts the others"
        elif not source.moderator and source.judged >= guards.fewest_shared:
            usual = _median_rate(
                (one.against_champion, one.judged) for one in rest if one.judged >= guards.fewest_shared
            )
            far = usual is not None and (
                _lower(source.against_champion, source.judged) > usual + guards.contradicts_more
            )
            if far:
                source.left_out = "contradicts the champion"


def _median_rate(counts: Iterable[tuple[int, int]]) -> float | None:
    rates = [of / total for of, total in counts]
    return float(np.median(rates)) if rates else None


def _lower(count: int, total: int) -> float:
    """Lower end of Wilson's interval of a rate (Wilson 1927)."""
    rate, z2 = count / total, _Z**2
    spread = _Z * math.sqrt(rate * (1 - rate) / total + z2 / (4 * total**2))
    return (rate + z2 / (2 * total) - spread) / (1 + z2 / total)


def _weight(opinion: Opinion, feedback: FeedbackSettings) -> float:
    return feedback.moderator_weight if opinion.is_moderator else feedback.reader_weight


def _bound(sources: Mapping[Who, Source], guards: GuardSettings) -> None:
    """Bound each source and each key among its peers, then all who are no moderators together."""
    believed = {None, *guards.believed_keys}
    allowed = weights_by_role(
        {who: one.own_weight for who, one in sources.items() if one.own_weight},
        {who: one.moderator for who, one in sources.items()},
        most_a_source=guards.most_a_source,
        most_of_readers=guards.most_of_readers,
        senders={who: who.key for who in sources if who.key not in believed},
    )
    for who, weight in allowed.items():
        sources[who].weight = weight


def _outliers(
    opinions: Sequence[Opinion], champion: NDArray[np.float64], kept: Sequence[int], most: int
) -> list[dict[str, Any]]:
    """The opinions farthest from the champion; named, never quoted."""
    found: list[tuple[float, dict[str, Any]]] = []
    for place in kept:
        one = opinions[place]
        for name, label in one.labels.items():
            said = float(champion[place, ATTRIBUTES.index(name)])
            if abs(label - said) > _FAR:
                who = {"uid": one.uid, "source": one.source, "key": one.key_id}
                entry = {"attribute": name, "label": label, "champion": round(said, 4)}
                found.append((abs(label - said), who | entry))
    found.sort(key=lambda one: -one[0])
    return [entry for _, entry in found[:most]]
