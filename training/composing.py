"""Comments put together from arguments: as long as readers' comments, of which there are few."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from data.rows import StanceRow, mirrored_label

__all__ = ["composed"]

_GRANTS = (
    "I know that {}, but ",
    "Yes, {}. But ",
    "People say that {}. ",
    "Granted, {}. Still, ",
    "We keep hearing that {}. I do not buy it. ",
    "It may be true that {}; even so, ",
    "Some argue that {}. That misses the point. ",
)
_SIZES = (2, 2, 3, 3, 4, 5)
_FEWEST_ARGUMENTS = 6
_MOST_COUNTED = 60
_GRANTING_SHARE = 0.4
_STRAYING_SHARE = 0.25


def composed(rows: Sequence[StanceRow], wanted: int, chance: random.Random) -> Iterator[StanceRow]:
    """Yield comments of two to five arguments on one side of one premise.

    Some grant an argument of the other side before they answer it; some hold a sentence that has nothing
    to do with the premise.

    Args:
        rows: arguments that agree or disagree; premises with fewer than six a side are left out.
        wanted: how many comments.
        chance: of every random choice.
    """
    by_side: dict[tuple[str, str], list[StanceRow]] = defaultdict(list)
    for row in rows:
        by_side[row.premise, row.label].append(row)
    sides = [side for side, found in by_side.items() if len(found) >= _FEWEST_ARGUMENTS]
    counted = [min(len(by_side[side]), _MOST_COUNTED) for side in sides]
    for _ in range(wanted if sides else 0):
        premise, label = side = chance.choices(sides, counted)[0]
        own = chance.sample(by_side[side], chance.choice(_SIZES))
        parts = [_sentence(row.text) for row in own]
        others = by_side.get((premise, mirrored_label(label)))
        if others and chance.random() < _GRANTING_SHARE:
            place = chance.randrange(len(parts))
            parts[place] = _granting(chance.choice(others).text, parts[place], chance)
        if chance.random() < _STRAYING_SHARE:
            parts.insert(chance.randrange(len(parts) + 1), _sentence(chance.choice(rows).text))
        yield StanceRow(premise, " ".join(parts), label, own[0].source, own[0].group)


def _sentence(text: str) -> str:
    text = text.strip()
    ended = text if text[-1] in ".!?" else f"{text}."
    return ended[0].upper() + ended[1:]


def _granting(granted: str, answer: str, chance: random.Random) -> str:
    granted = granted.strip().rstrip(".!?")
    lead = chance.choice(_GRANTS).format(granted[0].lower() + granted[1:])
    return lead + (answer if lead.endswith(". ") else answer[0].lower() + answer[1:])
