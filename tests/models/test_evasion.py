import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from models.evasion import Deobfuscator
from models.lookalikes import CLOSE, LEET, LOOSE
from models.text import normalise

LINE = """
    you are a fool and an idiot stupid moron loser pathetic asshole fuck shit bitch fucking hate kill
    good so soo book committee well known end the and or up date update per son person persons i am is
    was it plan ring bring area to day today well-being being article that he'll don't it's of in on
    for with this page mean means word mouth pot hit out long like love people some because time
    would should could message sentence stop please really there where which other house
"""
WORDS = LINE.split()
TEXTS = [LINE] * 300 + ["you are a fool", "this is a good book and so are you"] * 50
HOSTILE = "stupid аbс 1!|@$*.-_' \t\nіѕ🅐🇮ʇ\u0336\u200b\u3164\u20dd\ud800fuck"
FITTED = Deobfuscator(min_count=5).fit(TEXTS)
ANY_TEXT = st.text(st.characters(), max_size=80) | st.text(st.sampled_from(HOSTILE), max_size=60)
PIECES = st.lists(st.sampled_from([*WORDS, *"abcis.u-_*", "stup1d", "f*ck", "ѕtu", "pid", "  "]), max_size=12)
MADE_UP = st.builds(lambda pieces, gap: gap.join(pieces), PIECES, st.sampled_from(["", " ", ".", "-", "  "]))


@pytest.fixture(scope="module")
def deobfuscator() -> Deobfuscator:
    return FITTED


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("stup1d 5tupid $tupid STUP!D", "stupid stupid stupid stupid"),
        ("1d10t, m0r0n; @sshole a$$hole", "idiot, moron; asshole asshole"),
        ("b!tch sh1t h4te |oser", "bitch shit hate loser"),
        ("you ѕtuріd", "you stupid"),
        ("уоu аrе а ѕtuріd ӏοѕеr", "you are а stupid loser"),
        ("you ꜱᴛᴜᴘɪᴅ", "you stupid"),
        ("you 🅢🅣🅤🅟🅘🅓 🅵🅾🅾🅻", "you stupid fool"),
        ("you 🇮🇩🇮🇴🇹", "you idiot"),
        ("ᔕTᑌᑭIᗪ Ꮥtupid", "stupid stupid"),
        ("⒡⒰⒞⒦ you", "fuck you"),
        ("ѕtup1d", "stupid"),
        ("s\u200bt\u00adu\u2060p\ufe0fi\U000e0061d", "stupid"),
        ("s\u0336t\u0336u\u0336pid st\u20ddupid id\u0e34iot", "stupid stupid idiot"),
        ("st\u2800upid idi\u3164ot idi\u1160ot", "stupid idiot idiot"),
        ("you s t u p i d", "you stupid"),
        ("s.t.u.p.i.d s-t-u-p-i-d s_t_u*p_i_d", "stupid stupid stupid"),
        ("y o u   a r e   a   f o o l", "you are a fool"),
        ("y o u a r e a f o o l", "you are a fool"),
        ("s t u p 1 d", "stupid"),
        ("f u c k you", "fuck you"),
        ("st.upid mo-ron id*iot stu/pid idi'ot", "stupid moron idiot stupid idiot"),
        ("you stu pid fool", "you stupid fool"),
        ("stuuupid iiiidiot iiddiioott stuppid", "stupid idiot idiot stupid"),
        ("f*ck sh*t a**hole f**k f@#k sh—t b*tch", "fuck shit asshole fuck fuck shit bitch"),
        ("f***ing", "fucking"),
        ("StUpId", "stupid"),
        ('(st.upid!) "m0r0n"', '(stupid!) "moron"'),
    ],
)
def test_a_disguise_is_undone(deobfuscator: Deobfuscator, written: str, read: str) -> None:
    assert deobfuscator.transform([written]) == [read]


@pytest.mark.parametrize(
    "text",
    [
        "1999 2nd 30th 90s 10am covid19 g20 mp3 a55 f16 b2b h1n1 4x4 $100 c++ u2 3d top10 i5 100k 1080p",
        "u.s. u.s.a. e.g. i.e. p.m. j. k. rowling j. r. r. tolkien p.s.",
        "a b c d",
        "plan b, plan b ring",
        "well-known and/or end.the up-date per-son well-being 3.14 1,000",
        "http://example.com/stup1d www.stup1d.com/f*ck m0r0n@example.com #stup1d stup1d.com",
        "sooo good committee book",
        "it's he'll don't o'clock rock'n'roll",
        "1 2 3 4 5, x, y, z; a + b = c + d",
        "the person(s) :-) ;) <3 50% 3:30pm c#",
        "Правда и ложь, а это рот: the word рот means mouth",
        "η ζωή είναι ωραία and τον ήλιο",
        "中文 山 乙 新聞 and 卂 page",
        "한국어 뉴스 기사",
        "العربية والأخبار",
        "हिन्दी में समाचार",
        "Łódź była, smørrebrød, đi",
        "👍🏽 ok 🇺🇸🇬🇧 ❤️ ● item",
    ],
)
def test_ordinary_text_stays(deobfuscator: Deobfuscator, text: str) -> None:
    assert deobfuscator.transform([text]) == [normalise(text)]


@given(st.lists(ANY_TEXT | MADE_UP, max_size=5))
@settings(max_examples=300)
def test_a_batch_is_read_as_its_texts_one_by_one(texts: list[str]) -> None:
    batch = FITTED.transform(texts)
    assert batch == [FITTED.transform([text])[0] for text in texts]
    fresh = pickle.loads(pickle.dumps(FITTED))
    assert batch == fresh.transform(texts)


@given(ANY_TEXT | MADE_UP)
@settings(max_examples=500)
def test_transforming_twice_changes_nothing(text: str) -> None:
    once = FITTED.transform([text])
    assert FITTED.transform(once) == once
    assert normalise(once[0]) == once[0]
    once[0].encode()


@given(ANY_TEXT | MADE_UP)
@settings(max_examples=500)
def test_every_character_knows_its_origin(text: str) -> None:
    aligned = FITTED.align(text)
    assert aligned.text == FITTED.transform([text])[0]
    assert len(aligned.origins) == len(aligned.text) + 1
    assert aligned.origins[-1] == len(text)
    assert (np.diff(aligned.origins) >= 0).all()


def test_origins_point_at_the_disguised_letters(deobfuscator: Deobfuscator) -> None:
    text = "you st.up1d f.o.o.l"
    aligned = deobfuscator.align(text)
    assert aligned.text == "you stupid fool"
    assert "".join(text[i] for i in aligned.origins[:-1]) == "you stup1d fool"


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        "1",
        "* ",
        "s t u p i d ",
        "stupid.",
        "ѕ",
        "f*",
        "!1|",
        "a1",
        "x ",
        "'",
        "aa",
        "\u0336a",
        "stu pid ",
        "ab",
        "аb1ο ",
        "η",
        "@a-",
        "a:",
        "(",
    ],
)
def test_a_huge_text_goes_through(deobfuscator: Deobfuscator, unit: str) -> None:
    text = unit * (200_000 // len(unit))
    read = deobfuscator.transform([text])
    assert deobfuscator.transform(read) == read


def test_what_is_learned_is_small_and_survives_pickling_and_cloning(deobfuscator: Deobfuscator) -> None:
    deobfuscator.transform(["stup1d"])
    copy = pickle.loads(pickle.dumps(deobfuscator))
    assert copy.vocabulary_ == deobfuscator.vocabulary_ == tuple(sorted(deobfuscator.vocabulary_))
    assert copy.transform(["stup1d m0r0n"]) == ["stupid moron"]
    assert clone(deobfuscator).get_params() == {"min_count": 5, "max_words": 40_000}
    assert Deobfuscator(min_count=5, max_words=3).fit(TEXTS).counts_.shape == (3,)


def test_an_unfitted_one_says_so() -> None:
    with pytest.raises(NotFittedError):
        Deobfuscator().transform(["x"])
    with pytest.raises(NotFittedError):
        Deobfuscator().align("x")


def test_a_single_text_is_refused(deobfuscator: Deobfuscator) -> None:
    with pytest.raises(TypeError, match="wrap it in a list"):
        deobfuscator.transform("stup1d")


def test_the_tables_read_as_latin_letters() -> None:
    for table in (CLOSE, LOOSE, LEET):
        assert all(letters and letters.isascii() and letters.isalpha() for letters in table.values())
    assert not CLOSE.keys() & LOOSE.keys()
    assert all(normalise(char) == char for char in CLOSE.keys() | LOOSE.keys())
