"""PyPerspective, whose host cannot be changed, behind a proxy: the strictest reader of answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
RUDE = "You are a stupid idiot."
SIX = {"TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT"}


@pytest.fixture(scope="module")
def found(run_python: Run, proxy: Any, authority: dict[str, Path], server_url: str) -> Any:
    return run_python(
        "pyperspective",
        "pyperspective_client.py",
        server_url,
        HTTPS_PROXY=proxy.url,
        REQUESTS_CA_BUNDLE=str(authority["authority"]),
    )


def test_it_believes_to_ask_the_api_itself(found: Any, proxy: Any) -> None:
    assert found
    assert set(proxy.asked) == {"commentanalyzer.googleapis.com:443"}


def test_every_score_is_read(found: Any) -> None:
    assert found["scores"].keys() == SIX
    assert all(0 <= score <= 1 for score in found["scores"].values())
    assert found["scores"]["TOXICITY"] > found["civil"]
    assert found["scores"]["INSULT"] > found["scores"]["THREAT"]
    assert found["types"] == ["PROBABILITY"]


def test_every_span_is_read(found: Any) -> None:
    assert found["spans"] == {name: [RUDE] for name in SIX}
    assert found["span"] == [f"Thank you. {RUDE}"]


def test_languages_are_always_there(found: Any) -> None:
    assert (found["requested"], found["detected"]) == (["en"], ["en"])


def test_errors_are_read_before_the_client_trips_over_its_own(found: Any) -> None:
    # A Google-shaped error gets as far as the line that raises; another shape would end in a KeyError.
    assert len(found["errors"]) == 3
    assert all("ApiException" in error for error in found["errors"])


def test_one_line_sends_it_elsewhere(found: Any, proxy: Any) -> None:
    assert found["direct"] == found["scores"]["TOXICITY"]
    assert (
        len(proxy.asked) == 7
    )  # the key, three comments, three errors; the direct requests are not among them
