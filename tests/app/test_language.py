"""Which language a comment is taken to be in."""

from pathlib import Path

import pytest

from app.language import LanguageTeller, _is_plainly_english
from app.settings import Settings
from data import read_civility

DISAGREE_DE = "Ich bin ganz anderer Meinung als der Verfasser dieses Artikels."


@pytest.fixture(scope="module")
def teller() -> LanguageTeller:
    return LanguageTeller(Settings())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I disagree with the premise of this article.", "en"),
        (DISAGREE_DE, "de"),
        ("Je ne suis pas du tout d'accord avec cet article.", "fr"),
        ("これは全くの間違いです", "ja"),
        ("это полная чушь", "ru"),
        ("이 기사는 완전히 틀렸다", "ko"),
        ("YOU ARE COMPLETELY WRONG ABOUT THIS", "en"),
        (f"https://nachrichten.example/artikel/ueber/die/stadt @jemand {'I disagree with you. ' * 2}", "en"),
        (DISAGREE_DE + "\n\u0000" + DISAGREE_DE, "de"),
    ],
)
def test_a_clear_text_tells_its_language(teller: LanguageTeller, text: str, language: str) -> None:
    assert teller.tell(text, hint="xx") == language


@pytest.mark.parametrize("source", ["told-br", "germeval-2018", "korean-hate-news"])
def test_no_comment_in_another_language_is_taken_for_plain_english(real_data: Path, source: str) -> None:
    texts = [row.text for row in read_civility(real_data, [source])]
    assert len(texts) > 5_000
    assert [text for text in texts if _is_plainly_english(text)] == []


@pytest.mark.parametrize("text", ["👍", "ok", "lol", "Nein!", "123", "\u0301" * 40, "x" * 400, "", "\ud800"])
def test_an_unclear_text_takes_the_callers_word_or_the_default(teller: LanguageTeller, text: str) -> None:
    assert teller.tell(text) == "en"
    assert teller.tell(text, hint="de") == "de"
    assert teller.tell(text, hint="pt-BR") == "pt"
    assert teller.tell(text, hint="DE") == "de"


def test_nothing_is_printed_or_logged(
    teller: LanguageTeller, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    teller.tell(DISAGREE_DE * 500)
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""
