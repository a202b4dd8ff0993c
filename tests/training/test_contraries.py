"""The contrary of a claim says the contrary."""

import pytest

from training.contraries import contrary


@pytest.mark.parametrize(
    ("claim", "wanted"),
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
def test_not_is_put_in_or_taken_out(claim: str, wanted: str | None) -> None:
    assert contrary(claim) == wanted
