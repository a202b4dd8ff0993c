import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compat._sentences import split_sentences


def said(text: str, most: int = 100) -> list[str]:
    return [sentence.text for sentence in split_sentences(text, most)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n\u200b", []),
        ("No end", ["No end"]),
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("you lie. go away... now", ["you lie.", "go away...", "now"]),
        ("He said “no.” She said (yes!) Then?!", ["He said “no.”", "She said (yes!)", "Then?!"]),
        ("One\n\ntwo\r\nthree", ["One", "two", "three"]),
        (
            "Dr. No met Mr. J. Smith, e.g. in St. Ives. Well.",
            ["Dr. No met Mr. J. Smith, e.g. in St. Ives.", "Well."],
        ),
        ("It costs 3.50 at shop.example/a?b=1", ["It costs 3.50 at shop.example/a?b=1"]),
        ("好的。不行！真的吗？", ["好的。", "不行！", "真的吗？"]),
        ("هل أنت هنا؟ نعم.", ["هل أنت هنا؟", "نعم."]),
        ("ठीक है। नहीं।", ["ठीक है।", "नहीं।"]),
        ("Wow!!! 👍👍. ok", ["Wow!!!", "👍👍.", "ok"]),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert said(text) == sentences


@given(st.text(alphabet=st.sampled_from("aB. !?\n。👍”é"), max_size=60), st.integers(1, 5))
def test_every_sentence_lies_where_it_says(text: str, most: int) -> None:
    utf16 = text.encode("utf-16-le")
    sentences = split_sentences(text, most)
    assert len(sentences) <= most
    last = 0
    for begin, end, sentence in sentences:
        assert last <= begin < end
        assert utf16[2 * begin : 2 * end].decode("utf-16-le") == sentence
        assert sentence == sentence.strip()
        last = end
    seen = "".join("".join(said(text, most)).split())
    assert seen == "".join(text.split())


def test_neighbours_share_a_span_where_there_are_too_many() -> None:
    assert said("Aa. Bb. Cc. Dd. Ee.", 2) == ["Aa. Bb. Cc.", "Dd. Ee."]


@pytest.mark.parametrize("text", ["." * 20_000, ". " * 10_000, "\n" * 20_000, ".”" * 10_000, "a." * 10_000])
def test_no_text_takes_more_than_linear_time(text: str) -> None:
    assert len(split_sentences(text, 100)) <= 100
