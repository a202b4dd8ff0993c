"""What the stance encoder learns from: each side with its contrary, readers apart, doubles joined."""

from collections import Counter

import pytest

from data import StanceRow
from data.published import PUBLISHED_SOURCE
from data.written import DIRECT_SOURCE, PLAIN_SOURCE, WRITTEN_SOURCE
from training.encoder import Pair
from training.mixture import broad_mixture, readers_mixture

OPENERS = {"agree": ["Exactly."], "disagree": ["Nonsense."], "neutral": ["Hm."]}
MOTIONS = ("Cats should be kept indoors", "Trams should be free")


def argument(number: int, label: str, motion: str, source: str = "ibm-argq-rank-30k") -> StanceRow:
    return StanceRow(motion, f"{label} reason {number} of {motion}", label, source, motion)


ARGUMENTS = [
    argument(n, label, motion) for motion in MOTIONS for label in ("agree", "disagree") for n in range(8)
]


def test_a_comment_that_takes_a_side_has_a_contrary_premise() -> None:
    pairs = broad_mixture(ARGUMENTS, OPENERS, seed=1)
    own = [
        pair for pair in pairs if pair.text in {row.text for row in ARGUMENTS} and pair.label != "unrelated"
    ]
    assert len(own) >= len(ARGUMENTS)
    assert all(pair.opposite and pair.opposite != pair.premise for pair in own)
    assert all(pair.opposite is None for pair in pairs if pair.label == "unrelated")


def test_comments_are_put_together_from_arguments_of_one_side() -> None:
    pairs = broad_mixture(ARGUMENTS, OPENERS, seed=1)
    long = [pair for pair in pairs if pair.text.count(" reason ") >= 4]
    assert len(long) > 1000
    for pair in long[:200]:
        sides = Counter("disagree" if "isagree reason" in part else "agree" for part in pair.text.split("."))
        assert sides[pair.label] > 0


def test_readers_are_learnt_last_and_both_rows_of_a_debate_make_one_pair() -> None:
    claim, contrary = "Doping should be allowed", "Doping should not be allowed"
    twice = [
        StanceRow(claim, "It is cheating.", "disagree", DIRECT_SOURCE, "doping"),
        StanceRow(contrary, "It is cheating.", "agree", DIRECT_SOURCE, "doping"),
    ]
    rows = [*ARGUMENTS, *twice, argument(1, "agree", "Zoos are cruel", "arc")]
    assert not {pair.text for pair in broad_mixture(rows, OPENERS, seed=1)} & {"It is cheating."}
    pairs = [pair for pair in readers_mixture(rows, [], seed=1) if pair.label != "unrelated"]
    (found,) = (pair for pair in pairs if pair.text == "It is cheating.")
    assert found in {
        Pair(claim, "It is cheating.", "disagree", contrary),
        Pair(contrary, "It is cheating.", "agree", claim),
    }
    assert [pair.opposite for pair in pairs if pair.premise == "Zoos are cruel"] != [None]


def test_each_premise_that_a_published_comment_holds_is_learnt_beside_one_that_it_rejects() -> None:
    comment = "I ride it daily. It is late daily. They know it. Nobody mends it."
    held = [f"Trams need care {n}" for n in range(3)]
    rejected = [f"Trams run well {n}" for n in range(2)]
    rows = [StanceRow(premise, comment, "agree", PUBLISHED_SOURCE, "trams") for premise in held]
    rows += [StanceRow(premise, comment, "disagree", PUBLISHED_SOURCE, "trams") for premise in rejected]
    pairs = readers_mixture(rows, [], seed=1)
    assert {pair.text for pair in pairs} == {comment}  # no extract of it
    assert {pair.premise for pair in pairs} == set(held)
    assert {pair.label for pair in pairs} == {"agree"}
    assert {pair.opposite for pair in pairs} > set(rejected)


@pytest.mark.parametrize("source", [PLAIN_SOURCE, WRITTEN_SOURCE])
def test_what_is_not_said_straight_out_does_not_train_the_encoder(source: str) -> None:
    indirect = argument(1, "agree", "Zoos are cruel", source)
    mixtures = [broad_mixture([*ARGUMENTS, indirect], OPENERS, 1), readers_mixture([indirect], [], 1)]
    assert [pair for pairs in mixtures for pair in pairs if pair.text == indirect.text] == []


def test_the_draw_is_the_seeds() -> None:
    assert broad_mixture(ARGUMENTS, OPENERS, 1) == broad_mixture(ARGUMENTS, OPENERS, 1)
    assert broad_mixture(ARGUMENTS, OPENERS, 1) != broad_mixture(ARGUMENTS, OPENERS, 2)
