"""The mixtures of pairs that the stance encoder is fine-tuned on: arguments of every kind, then readers.

Nearly every comment that takes a side is learnt at once towards two premises, of which it holds one: the
other is a contrary, or was written for the comment, too.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from data.published import PUBLISHED_SOURCE
from data.rows import StanceRow, mirrored_label
from data.written import DIRECT_SOURCE, PLAIN_SOURCE, WRITTEN_SOURCE
from models.evidence import sentences
from training.composing import composed
from training.encoder import Pair
from training.giveaways import blind_weight, leanings
from training.opposites import opposite

__all__ = ["CAPS", "HEADS_ONLY", "SECOND_STAGE", "broad_mixture", "readers_mixture"]

CAPS: dict[str, dict[str, int]] = {
    "fnc-1": {"agree": 1200, "disagree": 700, "neutral": 1200, "unrelated": 1200},
    "reply-stance": {"neutral": 800},
    "breaking-nli": {"agree": 700, "disagree": 1500},
}
"""Most rows of a label that are drawn from a set; sets and labels not named here are taken whole."""

SECOND_STAGE = frozenset(
    {"arc", "arct-reasons", PUBLISHED_SOURCE, DIRECT_SOURCE, PLAIN_SOURCE, WRITTEN_SOURCE}
)
"""Sets in readers' own domain, which the second mixture is made of and the first leaves out."""

HEADS_ONLY = frozenset({PLAIN_SOURCE, WRITTEN_SOURCE})
"""Sets of the second stage that only the heads see.

There a side follows from what one knows of the matter: a small encoder learns such comments by heart at
best, and unlearns others meanwhile.
"""

_READERS_CAPS = {
    "arc": {"unrelated": 1500},
    PUBLISHED_SOURCE: {"agree": 11_000, "disagree": 11_000, "neutral": 3000},
}
_EXTRACT_WEIGHT = 0.5  # for its stance is its comment's
_NOT_CLAIMS = frozenset({"fnc-1", "reply-stance", "breaking-nli"})  # their premises have no useful contrary
_SIDES = ("agree", "disagree")
_SWAPPED = 4000
_OPENED = 3000
_COMPOSED = 7000
_LONG_SENTENCES = 4
_REHEARSED = 3000


def broad_mixture(rows: Sequence[StanceRow], openers: Mapping[str, Sequence[str]], seed: int) -> list[Pair]:
    """Return shuffled pairs of every set but those of readers, from rows of the training split.

    Besides the rows themselves: premises paired with a text of another group ("unrelated"); texts opened
    by a sentence that says outright what they think ("I disagree."), alone or before the text; and long
    comments put together from arguments.

    Args:
        rows: the training split.
        openers: sentences by stance, `data.openers.load_openers("train")`.
        seed: of every random choice.
    """
    chance = random.Random(seed)
    drawn = _drawn([row for row in rows if row.source not in SECOND_STAGE], CAPS, chance)
    pairs = list(_mirrored(drawn, chance))
    pairs += list(_swapped(drawn, _SWAPPED, chance))
    pairs += list(_opened(drawn, openers, chance))
    arguments = [row for row in drawn if row.label in _SIDES and row.source not in _NOT_CLAIMS]
    pairs += list(_mirrored(composed(arguments, _COMPOSED, chance), chance))
    chance.shuffle(pairs)
    return pairs


def readers_mixture(
    rows: Sequence[StanceRow], broad: Sequence[Pair], seed: int, heads_only: frozenset[str] = HEADS_ONLY
) -> list[Pair]:
    """Return shuffled pairs of readers' comments, with some of the broad mixture again.

    Besides the rows themselves: an extract of one to three sentences of each long comment that takes a
    side towards its set's own claim, and premises paired with another debate's comment.

    Args:
        rows: the training split, our written comments among it.
        broad: what `broad_mixture` returned.
        seed: of every random choice.
        heads_only: sets that are left out.
    """
    chance = random.Random(seed)
    own = _drawn([row for row in rows if row.source in SECOND_STAGE - heads_only], _READERS_CAPS, chance)
    related = [row for row in own if row.label != "unrelated"]
    published = [row for row in own if row.source == PUBLISHED_SOURCE and row.label in _SIDES]
    # a few sentences of a comment may not bear on each premise that was written for all of it
    extracted = [row for row in related if row.source != PUBLISHED_SOURCE]
    leaning = leanings(published)
    pairs = [_blind(pair, leaning) for pair in _mirrored(own, chance)]
    pairs += list(_mirrored(_extracts(extracted, chance), chance, _EXTRACT_WEIGHT))
    pairs += list(_swapped(related, len(related) // 8, chance))
    pairs += chance.sample(broad, min(_REHEARSED, len(broad)))
    chance.shuffle(pairs)
    return pairs


def _drawn(
    rows: Sequence[StanceRow], caps: Mapping[str, Mapping[str, int]], chance: random.Random
) -> list[StanceRow]:
    by_label: dict[tuple[str, str], list[StanceRow]] = defaultdict(list)
    for row in rows:
        by_label[row.source, row.label].append(row)
    drawn: list[StanceRow] = []
    for (source, label), found in sorted(by_label.items()):
        cap = caps.get(source, {}).get(label, len(found))
        drawn += chance.sample(found, min(cap, len(found)))
    return drawn


def _mirrored(rows: Iterable[StanceRow], chance: random.Random, weight: float = 1.0) -> Iterator[Pair]:
    """Each row as a pair; those that take a side with a contrary premise.

    Where a set has the text under premises of both sides, two rows make one pair.
    """
    waiting: dict[tuple[str, str, str, str], list[StanceRow]] = defaultdict(list)
    for row in rows:
        if row.label not in _SIDES or row.source in _NOT_CLAIMS:
            yield Pair(row.premise, row.text, row.label, weight=weight)
            continue
        sought = row.source, row.group, row.text, mirrored_label(row.label)
        if waiting[sought]:
            found = waiting[sought].pop(0)
            yield Pair(found.premise, row.text, found.label, row.premise, weight)
        else:
            waiting[row.source, row.group, row.text, row.label].append(row)
    for row in chain.from_iterable(waiting.values()):
        yield Pair(row.premise, row.text, row.label, opposite(row.premise, chance), weight)


def _blind(pair: Pair, leaning: Mapping[str, float]) -> Pair:
    """Weigh a pair by what its premises do not give away, where both were written for readers' comments."""
    if pair.opposite is None or pair.premise not in leaning or pair.opposite not in leaning:
        return pair
    held, rejected = pair.premise, pair.opposite
    if pair.label == "disagree":
        held, rejected = rejected, held
    return replace(pair, weight=pair.weight * blind_weight(leaning[held], leaning[rejected]))


def _extracts(rows: Sequence[StanceRow], chance: random.Random) -> Iterator[StanceRow]:
    for row in rows:
        parts = sentences(row.text)
        if row.label not in _SIDES or len(parts) < _LONG_SENTENCES:
            continue
        size = chance.randint(1, 3)
        begin = chance.randint(0, len(parts) - size)
        yield replace(row, text=" ".join(parts[begin : begin + size]))


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
