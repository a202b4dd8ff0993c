import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import normalise
from training.evasions import EVASIONS, disguise

TEXT = "You are a stupid idiot, and it's a shame!"


@pytest.mark.parametrize("kind", EVASIONS)
def test_every_word_of_three_letters_is_disguised(kind: str) -> None:
    hidden = disguise(TEXT, kind, 1.0, seed=3)
    assert hidden != TEXT
    assert "stupid" not in hidden.split()
    assert " a " in hidden


@pytest.mark.parametrize("kind", EVASIONS)
def test_nothing_is_disguised_with_a_share_of_nought(kind: str) -> None:
    assert disguise(TEXT, kind, 0.0, seed=3) == TEXT


@given(st.text(max_size=80), st.sampled_from(sorted(EVASIONS)), st.floats(0, 1), st.integers(0, 9))
def test_the_seed_decides(text: str, kind: str, share: float, seed: int) -> None:
    assert disguise(text, kind, share, seed) == disguise(text, kind, share, seed)


@pytest.mark.parametrize("kind", ["zero_width", "case_noise"])
def test_what_normalising_undoes(kind: str) -> None:
    assert normalise(disguise(TEXT, kind, 1.0, seed=1)) == normalise(TEXT)


def test_half_the_words_are_disguised_with_a_share_of_a_half() -> None:
    words = ["stupid"] * 1000
    hidden = disguise(" ".join(words), "leetspeak", 0.5, seed=1).split()
    assert 400 < hidden.count("stupid") < 600


@pytest.mark.parametrize(
    ("kind", "share", "complaint"), [("rot13", 0.5, "kind must be"), ("leetspeak", 1.5, "share must lie")]
)
def test_a_wrong_order_is_refused(kind: str, share: float, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        disguise(TEXT, kind, share, seed=0)


def test_a_word_without_a_letter_to_swap_stays() -> None:
    assert EVASIONS["leetspeak"]("dry", random.Random(0)) == "dry"
