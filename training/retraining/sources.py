"""Who said something in the feedback, what is known of them, and how the report tells it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from data.feedback import Opinion

__all__ = ["Source", "Who", "key_table", "source_table", "who_said"]


class Who(NamedTuple):
    """A name, and the id of the API key with which it came, if any: with another key it is somebody else."""

    name: str
    key: str | None


@dataclass
class Source:
    """What is known of one source.

    Attributes:
        who: its name and key.
        moderator: whether all its opinions came as a moderator's.
        given: opinions.
        too_fast: those of them that came faster than a person reads.
        shared: labels on comments that others judged, too; `against_others` of them contradict these.
        judged: labels that the champion has an opinion on; `against_champion` of them contradict it.
        left_out: why none of its opinions counts, if so.
        opinions: places of those that did not come too fast.
        own_weight: of the opinions that count, unbounded.
        weight: the same, bounded.
    """

    who: Who
    moderator: bool
    given: int = 0
    too_fast: int = 0
    shared: int = 0
    against_others: int = 0
    judged: int = 0
    against_champion: int = 0
    left_out: str | None = None
    opinions: list[int] = field(default_factory=list)
    own_weight: float = 0.0
    weight: float = 0.0


def who_said(opinion: Opinion) -> Who:
    """Return whose opinion it is."""
    return Who(opinion.source, opinion.key_id)


def source_table(sources: Collection[Source]) -> list[dict[str, Any]]:
    """Return each source as plain values, those with most opinions first."""
    total = sum(one.weight for one in sources)
    return [
        {
            "source": one.who.name,
            "key": one.who.key,
            "moderator": one.moderator,
            "opinions": one.given,
            "too_fast": one.too_fast,
            "against_others": [one.against_others, one.shared],
            "against_champion": [one.against_champion, one.judged],
            "share": _share(one.weight, total),
            "left_out": one.left_out,
        }
        for one in sorted(sources, key=lambda one: (-one.given, one.who.name, one.who.key or ""))
    ]


def key_table(sources: Collection[Source], believed: Collection[str]) -> list[dict[str, Any]]:
    """Return each key with all that came with it, by id; `weight_kept` is what the bounds left of it.

    Args:
        sources: all of them.
        believed: keys whose names are bounded one by one.
    """
    total = sum(one.weight for one in sources)
    return [
        {
            "key": key,
            "believed": key in believed,
            "sources": len(of_key),
            "opinions": sum(one.given for one in of_key),
            "against_others": _sums((one.against_others, one.shared) for one in of_key),
            "against_champion": _sums((one.against_champion, one.judged) for one in of_key),
            "share": _share(sum(one.weight for one in of_key), total),
            "weight_kept": _share(sum(one.weight for one in of_key), sum(one.own_weight for one in of_key)),
        }
        for key, of_key in sorted(_by_key(sources).items())
    ]


def _by_key(sources: Iterable[Source]) -> dict[str, list[Source]]:
    by_key: dict[str, list[Source]] = defaultdict(list)
    for one in sources:
        if one.who.key is not None:
            by_key[one.who.key].append(one)
    return by_key


def _share(part: float, total: float) -> float:
    return round(part / total, 4) if total else 0.0


def _sums(counts: Iterable[tuple[int, int]]) -> list[int]:
    return [sum(column) for column in zip(*counts, strict=True)]
