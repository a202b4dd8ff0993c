"""The mixtures of pairs that the stance encoder is fine-tuned on: arguments of every kind, then readers."""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from data.rows import StanceRow
from data.written import WRITTEN_SOURCE
from models.evidence import sentences
from training.encoder import Pair

__all__ = ["CAPS", "READERS", "broad_mixture", "readers_mixture"]

CAPS: dict[str, dict[str, int]] = {
    "fnc-1": {"agree": 2000, "disagree": 900, "neutral": 1700, "unrelated": 1500},
    "reply-stance": {"neutral": 1300},
    "breaking-nli": {"agree": 700, "disagree": 900},
}
"""Most rows of a label that are drawn from a set; sets and labels not named here are taken whole."""

READERS = frozenset({"arc", "arct-reasons", WRITTEN_SOURCE})
"""Sets in readers' own domain, which the second mixture is made of and the first leaves out."""

_NEGATED_SETS_BARRED = frozenset({"fnc-1", "reply-stance", "breaking-nli"})
_FLIPPED = {"agree": "disagree", "disagree": "agree"}
_WE_SHOULD = re.compile(r"^We should (not )?(.*)$")
_DENIALS = (
    "It is not true that {}",
    "It is wrong to say that {}",
    "There is no case for the claim that {}",
)
_SWAPPED = 4000
_OPENED = 3000
_NEGATED = 6000
_LONG_SENTENCES = 4
_REHEARSED = 4000


def broad_mixture(rows: Sequence[StanceRow], openers: Mapping[str, Sequence[str]], seed: int) -> list[Pair]:
    """Return shuffled pairs of every set but those of readers, from rows of the training split.

    Besides the rows themselves: negated premises, towards which the sides swap; premises paired with a
    text of another group ("unrelated"); and texts opened by a sentence that says outright what they
    think ("I disagree."), alone or before the text.

    Args:
        rows: the training split.
        openers: sentences by stance, `data.openers.load_openers("train")`.
        seed: of every random choice.
    """
    chance = random.Random(seed)
    drawn = _drawn([row for row in rows if row.source not in READERS], chance)
    pairs = [Pair(row.premise, row.text, row.label) for row in drawn]
    pairs += list(_swapped(drawn, _SWAPPED, chance))
    pairs += list(_opened(drawn, openers, chance))
    pairs += list(_negated(drawn, chance))
    chance.shuffle(pairs)
    return pairs


def readers_mixture(rows: Sequence[StanceRow], broad: Sequence[Pair], seed: int) -> list[Pair]:
    """Return shuffled pairs of readers' comments, with some of the broad mixture again.

    Besides the rows themselves: an extract of one to three sentences of each long comment that takes a
    side, negated premises, and premises paired with another debate's comment.

    Args:
        rows: the training split, our written comments among it.
        broad: what `broad_mixture` returned.
        seed: of every random choice.
    """
    chance = random.Random(seed)
    own = [row for row in rows if row.source in READERS]
    related = [row for row in own if row.label != "unrelated"]
    pairs = [Pair(row.premise, row.text, row.label) for row in related]
    pairs += list(_extracts(related, chance))
    pairs += list(_swapped(related, len(related) // 8, chance))
    pairs += chance.sample(broad, min(_REHEARSED, len(broad)))
    chance.shuffle(pairs)
    return pairs


def _negation(premise: str, chance: random.Random) -> str | None:
    """Return the premise denied, None where it is no sentence."""
    if found := _WE_SHOULD.match(premise):
        if found[1]:
            return f"We should {found[2]}"
        return f"We should not {found[2]}" if chance.random() < 0.7 else f"It would be wrong to {found[2]}"
    claim = premise.rstrip(". ")
    return None if len(claim.split()) < 4 else chance.choice(_DENIALS).format(claim[0].lower() + claim[1:])


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
        if row.label not in _FLIPPED or len(parts) < _LONG_SENTENCES:
            continue
        size = chance.randint(1, 3)
        begin = chance.randint(0, len(parts) - size)
        yield Pair(row.premise, " ".join(parts[begin : begin + size]), row.label)


def _swapped(rows: Sequence[StanceRow], most: int, chance: random.Random) -> Iterator[Pair]:
    made = 0 if len({row.group for row in rows}) > 1 else most
    while made < min(most, len(rows)):
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


def _negated(rows: Sequence[StanceRow], chance: random.Random) -> Iterator[Pair]:
    sided = [row for row in rows if row.label in _FLIPPED and row.source not in _NEGATED_SETS_BARRED]
    for row in chance.sample(sided, min(_NEGATED, len(sided))):
        denied = _negation(row.premise, chance)
        if denied is not None:
            yield Pair(denied, row.text, _FLIPPED[row.label])
