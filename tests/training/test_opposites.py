"""A claim's contrary says the contrary."""

import random

import pytest

from training.opposites import opposite, toggled


@pytest.mark.parametrize(
    ("claim", "contrary"),
    [
        ("Electric cars will not succeed", "Electric cars will succeed"),
        (
            "Nations should recognize a Palestinian state.",
            "Nations should not recognize a Palestinian state.",
        ),
        ("We don't need libraries", "We do need libraries"),
        ("You can't trust polls", "You can trust polls"),
        ("Trade cannot bring peace", "Trade can bring peace"),
        ("Big banks are out of control", "Big banks are not out of control"),
        ("The euro has been a mistake", "The euro has not been a mistake"),
        ("Casinos that are licensed should pay more", "Casinos that are licensed should not pay more"),
        ("If rents are frozen, landlords will sell", "If rents are frozen, landlords will not sell"),
        ("Schools should never close early", "Schools should close early"),
        ("Nobody should pay twice", None),
        ("There is no reason to ban cars", None),
        ("Is the euro over?", None),
        ("This house would build dams", "This house would not build dams"),
        ("This house supports term limits", "This house opposes term limits"),
        ("Tenure protects bad teachers", None),
        ("It is not only costly", None),
    ],
)
def test_not_is_put_in_or_taken_out(claim: str, contrary: str | None) -> None:
    assert toggled(claim) == contrary


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
