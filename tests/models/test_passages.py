import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.passages import passages


@given(st.text(max_size=400), st.integers(2, 50))
def test_passages_cover_the_text_in_order_and_keep_their_size(text: str, size: int) -> None:
    found = list(passages(text, size))
    assert "".join(text[begin:end] for begin, end in found) == text
    assert all(end - begin <= size for begin, end in found)
    assert all(begin < end for begin, end in found) or found == [(0, 0)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("The bus came late. Nobody knew why it did.", "The bus came late. "),
        ("a bus without any end of a sentence in sight", "a bus without any end of "),
        ("x" * 60, "x" * 30),
    ],
)
def test_a_passage_ends_with_a_sentence_a_word_or_anywhere(text: str, first: str) -> None:
    (begin, end), *_ = passages(text, 30 if text[0] == "x" else 26)
    assert text[begin:end] == first
