"""Premises that tell the side by themselves count for less."""

from data import StanceRow
from data.published import PUBLISHED_SOURCE
from training.giveaways import blind_weight, leanings
from training.mixture import readers_mixture

THINGS = ("tram", "museum", "school", "bridge", "harbour", "library", "market", "park", "pool", "theatre")


def rows_of(thing: str, agreed: str, rejected: str) -> list[StanceRow]:
    comment = f"What I think of the {thing}."
    return [
        StanceRow(f"The {thing} {premise}", comment, label, PUBLISHED_SOURCE, f"about {thing}")
        for premise, label in ((agreed, "agree"), (rejected, "disagree"))
    ]


# Every tenth reader is content, the others complain.
ROWS = [row for thing in THINGS[1:] for row in rows_of(thing, "fails its users", "serves us well")]
ROWS += rows_of(THINGS[0], "serves us well", "fails its users")


def test_a_pair_that_needs_no_comment_counts_less_than_one_that_misleads() -> None:
    weights = {pair.text: pair.weight for pair in readers_mixture(ROWS, [], seed=1) if pair.opposite}
    misleading = weights.pop("What I think of the tram.")
    assert len(weights) == len(THINGS) - 1
    assert max(weights.values()) < 1 < misleading


def test_premises_that_tell_nothing_count_in_full() -> None:
    assert blind_weight(0.0, 0.0) == 1
    assert blind_weight(2.0, 0.0) + blind_weight(0.0, 2.0) < 2
    assert 0 < blind_weight(50.0, 0.0) < 0.01
    assert blind_weight(-1000.0, 0.0) == 1.5


def test_too_little_tells_nothing() -> None:
    assert leanings([]) == {}
    assert leanings(ROWS[:6]) == {}
    assert leanings([row for row in ROWS if row.label == "agree"]) == {}
