import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import align, normalise

ANY_TEXT = st.text(st.characters(), max_size=200)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("IDIOT", "idiot"),
        ("ｉｄｉｏｔ", "idiot"),
        ("i\u200bd\u200dio\ufefft", "idiot"),
        ("ïdíöt", "idiot"),
        ("i\u0301diot", "idiot"),
        ("stuuuuupid", "stuupid"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("st\x00up\x07id", "stupid"),
        ("STRASSE straße", "strasse strasse"),
        ("한국어 뉴스", "한국어 뉴스"),
        ("Правда и ложь", "правда и ложь"),
        ("हिन्दी में", "हिन्दी में"),
        ("you\u00a0there\u3000now", "you there now"),
        ("don’t say “x”", 'don\'t say "x"'),
        ("in 1999, 1000000 people", "in 1999, 1000000 people"),
        ("a lone \ud800 surrogate", "a lone \ufffd surrogate"),
    ],
)
def test_what_a_text_is_read_as(written: str, read: str) -> None:
    assert normalise(written) == unicodedata.normalize("NFC", read)


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing_and_the_result_is_utf8(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    once.encode()


@given(ANY_TEXT)
def test_every_character_knows_its_origin(text: str) -> None:
    aligned = align(text)
    assert aligned.text == normalise(text)
    assert len(aligned.origins) == len(aligned.text) + 1
    assert aligned.origins[-1] == len(text)
    assert (aligned.origins[1:] >= aligned.origins[:-1]).all()
    for char, origin in zip(aligned.text, aligned.origins, strict=False):
        assert char in normalise(text[origin])
