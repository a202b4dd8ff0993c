"""The contrary of a claim that a comment is learnt towards."""

import random

import pytest

from training.opposites import opposite


def test_words_are_swapped_for_their_antonyms_and_claims_denied() -> None:
    made = {opposite("We should ban fast food", random.Random(seed)) for seed in range(60)}
    assert {"We should allow fast food", "We should not ban fast food"} <= made
    assert "It is a myth that we should ban fast food" in made
    harm = {opposite("Foster care brings more harm than good", random.Random(seed)) for seed in range(60)}
    assert "Foster care brings more good than harm" in harm


def test_a_claim_is_denied_where_no_other_rule_fits() -> None:
    denied = opposite("NATO protects small countries", random.Random(1))
    assert denied is not None
    assert denied.endswith("NATO protects small countries") or "that NATO protects small countries" in denied


@pytest.mark.parametrize("claim", ["Guns", "Gun control", ""])
def test_a_bare_topic_has_no_contrary(claim: str) -> None:
    assert opposite(claim, random.Random(1)) is None
