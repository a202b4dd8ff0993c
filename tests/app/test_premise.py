"""The lead of a text."""

import pytest

from app.premise import LEAD_CHARACTERS, Premise, are_listed, find_premise, find_premises, lead_of
from app.schemas import Article


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("One.", "One."),
        ("\n\n  One\ntwo.  \n\nThree.", "One two."),
        ("One.\r\n\r\nTwo.", "One."),
        ("One.\r\rTwo.", "One."),
        ("First line of\r\nthe paragraph.", "First line of the paragraph."),
        ("One.\n \t \nTwo.", "One."),
        ("\u200b\n\nTwo.", "Two."),
        ("", None),
        (" \n\n \u200b \n", None),
        ("Opinion\n\nShould cars go?\n\nCars must go.\n\nThe rest.", "Cars must go."),
        ("Should cars go? They should. Who else?", "Should cars go? They should. Who else?"),
        ("Opinion\n\nShould cars go?\n\nSport\n\nNews\n\nCars must go.", "Opinion"),
    ],
)
def test_the_lead_is_the_first_paragraph(text: str, lead: str | None) -> None:
    assert lead_of(text) == lead


def test_a_long_lead_is_cut_between_words() -> None:
    lead = lead_of("seven77 " * 1_000)
    assert lead is not None
    assert LEAD_CHARACTERS - 8 <= len(lead) <= LEAD_CHARACTERS
    assert set(lead.split()) == {"seven77"}
    assert lead_of("x" * 5_000) == "x" * LEAD_CHARACTERS
    assert lead_of("x" * LEAD_CHARACTERS) == "x" * LEAD_CHARACTERS


def test_nothing_known_is_no_premise() -> None:
    assert find_premise(None) is None
    assert find_premise(Article()) is None
    assert find_premise(Article(premise=" ", title="\u200b", text="\n"), registered="") is None
    assert find_premise(None, registered=" registered ") == "registered"


CLAIM = "The city should ban cars from its centre."


@pytest.mark.parametrize(
    ("article", "registered", "expected"),
    [
        ({"premise": "Is it?", "title": CLAIM}, "registered", ("Is it?", "premise")),
        ({"title": CLAIM, "text": "The lead."}, "Is it so?", ("Is it so?", "registered")),
        ({"title": CLAIM, "text": "The lead."}, None, (CLAIM, "title")),
        ({"title": "Opinion: Cars must go", "text": CLAIM}, None, ("Cars must go", "title")),
        ({"title": "Letters to the editor", "text": CLAIM}, None, (CLAIM, "lead")),
        ({"title": "Should cars go?", "text": f"News\n\n{CLAIM}"}, None, (CLAIM, "lead")),
        ({"title": "“We will ban all cars”", "text": CLAIM}, None, (CLAIM, "lead")),
        ({"title": "Should cars go?"}, None, ("Should cars go?", "title")),
        ({"title": "Should cars go?", "text": " \n"}, None, ("Should cars go?", "title")),
        ({"text": CLAIM}, None, (CLAIM, "lead")),
        ({"premise": [], "title": CLAIM}, None, (CLAIM, "title")),
    ],
)
def test_where_the_premise_comes_from(
    article: dict, registered: str | None, expected: tuple[str, str]
) -> None:
    assert find_premises(Article(**article), registered) == [Premise(*expected)]  # type: ignore[arg-type]


def test_every_claim_that_is_given_is_a_premise() -> None:
    found = find_premises(Article(premise=[CLAIM, " Rents must fall. "], title="Title"), "registered")
    assert found == [(CLAIM, "premise"), ("Rents must fall.", "premise")]


def test_every_claim_that_is_registered_is_a_premise() -> None:
    claims = [CLAIM, " Rents must fall. "]
    found = [(CLAIM, "registered"), ("Rents must fall.", "registered")]
    assert find_premises(None, claims) == found
    assert find_premises(Article(premise=" ", title="Title"), claims) == found
    assert find_premise(None, claims) == CLAIM


@pytest.mark.parametrize(
    ("given", "registered", "listed"),
    [
        ([CLAIM], None, True),
        ([CLAIM], CLAIM, True),
        (None, [CLAIM], True),
        ([], [CLAIM], True),
        (CLAIM, [CLAIM], False),
        ([], CLAIM, False),
        ([], None, False),
        (None, None, False),
    ],
)
def test_a_list_is_a_list_wherever_it_is_from(
    given: str | list[str] | None, registered: str | list[str] | None, listed: bool
) -> None:
    assert are_listed(Article(premise=given, title="Title"), registered) == listed
