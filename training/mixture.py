"""The mixture of pairs that the stance encoder is fine-tuned on."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from data.rows import StanceRow
from models.evidence import sentences
from training.encoder import Pair

__all__ = ["CAPS", "mixture"]

CAPS: dict[str, dict[str, int]] = {
    "arc": {"unrelated": 1000},
    "fnc-1": {"agree": 150, "disagree": 150, "neutral": 150, "unrelated": 150},
    "reply-stance": {"neutral": 1300},
    "breaking-nli": {"agree": 700, "disagree": 700},
    "ibm-argq-rank-30k": {"agree": 6000, "disagree": 6000},
}
"""Most rows of a label that are drawn from a set; sets and labels not named here are taken whole."""

_EXTRACTS_A_COMMENT = 1
_LONG_SENTENCES = 4
_SWAPPED = 3500
_OPENED = 3000


def mixture(rows: Sequence[StanceRow], openers: Mapping[str, Sequence[str]], seed: int) -> list[Pair]:
    """Return shuffled training pairs from rows of the training split.

    Besides the rows themselves: an extract of one to three sentences of each long related comment,
    premises paired with a comment of another group ("unrelated"), and comments opened by a sentence
    that says outright what they think ("I disagree."), alone or before the text.

    Args:
        rows: the training split of `data.read_stance`.
        openers: sentences by stance, `data.openers.load_openers("train")`.
        seed: of every random choice.
    """
    chance = random.Random(seed)
    drawn = _drawn(rows, chance)
    pairs = [Pair(row.premise, row.text, row.label) for row in drawn]
    pairs += list(_extracts(drawn, chance))
    pairs += list(_swapped(drawn, chance))
    pairs += list(_opened(drawn, openers, chance))
    chance.shuffle(pairs)
    return pairs


def _drawn(rows: Sequence[StanceRow], chance: random.Random) -> list[StanceRow]:
    by_label: dict[tuple[str, str], list[StanceRow]] = defaultdict(list)
    for row in rows:
        by_label[row.source, row.label].append(row)
    drawn: list[StanceRow] = []
    for (source, label), found in sorted(by_label.items()):
        cap = CAPS.get(source, {}).get(label, len(found))
        drawn += chance.sample(found, min(cap, len(found)))
    return drawn


def _extracts(rows: Sequence[StanceRow], chance: random.Random) -> Iterator[Pair]:
    for row in rows:
        parts = sentences(row.text)
        if row.source != "arc" or len(parts) < _LONG_SENTENCES:
            continue
        for _ in range(_EXTRACTS_A_COMMENT):
            size = chance.randint(1, 3)
            begin = chance.randint(0, len(parts) - size)
            yield Pair(row.premise, " ".join(parts[begin : begin + size]), row.label)


def _swapped(rows: Sequence[StanceRow], chance: random.Random) -> Iterator[Pair]:
    made = 0 if len({row.group for row in rows}) > 1 else _SWAPPED
    while made < min(_SWAPPED, len(rows)):
        one, other = chance.choice(rows), chance.choice(rows)
        if one.group != other.group:
            made += 1
            yield Pair(one.premise, other.text, "unrelated")


def _opened(
    rows: Sequence[StanceRow], openers: Mapping[str, Sequence[str]], chance: random.Random
) -> Iterator[Pair]:
    related = [row for row in rows if row.label in openers]
    for row in chance.sample(related, min(_OPENED, len(related))):
        if chance.random() < 0.5:
            stance = chance.choice(sorted(openers))
            yield Pair(row.premise, chance.choice(openers[stance]), stance)
        else:
            yield Pair(row.premise, f"{chance.choice(openers[row.label])} {row.text}", row.label)
