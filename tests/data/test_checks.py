"""The sentences written for this project: enough, and the judging ones apart from the training ones."""

import re
from pathlib import Path

import pytest

from data.checks import contrast_rows, load_civility_checks
from data.denials import denial_rows
from data.errors import ChecksError
from data.identities import identity_rows
from data.readers.civility import ToxicSpans
from data.weak import without_spans

CHECKS = load_civility_checks()
SENTENCES = [text for one in CHECKS for text in (*one.civil, *one.toxic)]
_SHINGLE = 5


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1)}


def test_there_are_enough_functions_and_cases() -> None:
    assert len(CHECKS) >= 25
    assert {
        one.name: len(one.civil) + len(one.toxic) for one in CHECKS if len(one.civil + one.toxic) < 20
    } == {}
    assert len(SENTENCES) == len(set(SENTENCES))
    assert all(one.title and one.about for one in CHECKS)


def test_no_sentence_that_judges_trains() -> None:
    trained = {row.text for row in [*contrast_rows(), *denial_rows(), *identity_rows()]}
    assert trained & set(SENTENCES) == set()
    known = {shingle for text in trained for shingle in shingles(text)}
    copied = [text for text in SENTENCES if (own := shingles(text)) and len(own & known) > len(own) / 2]
    assert copied == []


def test_the_sentences_that_train_are_known_in_every_attribute() -> None:
    rows = contrast_rows()
    assert len(rows) > 2500
    assert all(value in (0.0, 1.0) for row in rows for value in row.attributes)
    assert 0.3 < sum(row.attributes[0] for row in rows) / len(rows) < 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title = 1", "title must be a string"),
        ('title = "a"\nabout = "b"\ncivil = ["c"]\ntoxic = [1]', "toxic must be a list of strings"),
        ("title =", "cannot be read"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "odd.toml").write_text(content)
    with pytest.raises(ChecksError, match=f"odd.toml.*{message}"):
        load_civility_checks(tmp_path)


def test_a_text_without_its_toxic_spans_is_squeezed() -> None:
    text = "You are a fool, sir."
    begin = text.index("a fool")
    spans = ToxicSpans(text, tuple(range(begin, begin + len("a fool"))), "train")
    assert without_spans(spans) == "You are , sir."
