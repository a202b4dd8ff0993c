"""The lead of a text."""

import pytest

from app.premise import LEAD_CHARACTERS, find_premise, lead_of
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
