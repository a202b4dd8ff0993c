"""A headline that is a question, a label or a quotation claims nothing."""

import pytest

from app.headlines import claim_in


@pytest.mark.parametrize(
    "headline",
    [
        "Should the city ban cars?",
        "Should the city ban cars",
        "Is this Crabzilla? Giant crab caught on camera",
        "Ban cars – or not?”",
        "Opinion: Should the city ban cars?",
        "Letters to the editor",
        "LETTERS TO THE EDITOR",
        "Letters to the Editor for March 3, 2026",
        "Readers’ letters: 3 May",
        "Opinion",
        "World news",
        "Live updates: the storm hits the coast",
        "Morning briefing: storms, rents and a lost cat",
        "What we know about the fire",
        "Brexit",
        "“We will not close the square”",
        "'It's a disgrace': residents react to the closure",
        "“We will not close the square”, says mayor",
        "Mayor: “We will not close the square”",
    ],
)
def test_no_claim(headline: str) -> None:
    assert claim_in(headline) is None


@pytest.mark.parametrize(
    "headline",
    [
        "Ban cars",
        "The City Should Ban Cars From Its Centre",
        "Why cars should be banned",
        "Live music is dying",
        "Poll tax must go",
        "Comment sections should close",
        "Letters from prison must be delivered",
        "Science is under attack",
        "'Green' energy is a fraud",
        "“Ban cars” is a bad slogan",
        "'Tis the season to be jolly, don't spend",
        "Priest wakes up and says God is a woman. Really?",
        "IS militants kill 300 soldiers",
    ],
)
def test_a_claim(headline: str) -> None:
    assert claim_in(headline) == headline


@pytest.mark.parametrize(
    "headline",
    ["Opinion | {}", "Editorial: {}", "OP-ED: {}", "Politics – {}", "Watch: {}", "The Hill view on cars: {}"],
)
def test_a_label_before_a_claim_is_left_out(headline: str) -> None:
    assert claim_in(headline.format("The city should ban cars")) == "The city should ban cars"


@pytest.mark.parametrize("part", ["'", "“a ", "a: “ ", "the ", "a ", ": ", "?", "opinion ", "\n", "a. "])
def test_a_hostile_headline_is_judged_like_any_other(part: str) -> None:
    # With a pattern that backtracks these take minutes, not a fraction of a second.
    headline = part * 5_000 + "x:"
    assert claim_in(headline) in {None, headline, headline.strip()}
