"""Civility rows that follow from other annotations: texts without their toxic spans, published comments."""

from collections.abc import Sequence
from pathlib import Path

from data.readers import read_stance
from data.readers.civility import ToxicSpans, read_toxic_spans
from data.rows import ATTRIBUTES, CivilityRow, attribute_values, text_group

__all__ = ["CUT_SOURCE", "PUBLISHED_SOURCE", "cut_rows", "published_rows", "without_spans"]

CUT_SOURCE = "toxic-spans-cut"
PUBLISHED_SOURCE = "published-comments"
_FEWEST_WORDS_LEFT = 3


def cut_rows(data_dir: Path) -> list[CivilityRow]:
    """Return what is left of each text of toxic-spans without its toxic spans, as not toxic.

    A text with spans and its rest are of one group. Rests of fewer than three words are left out.

    Raises:
        DataError: a file is missing or malformed.
    """
    civil = attribute_values(dict.fromkeys(ATTRIBUTES, 0.0))
    found = [(spans, without_spans(spans)) for spans in read_toxic_spans(data_dir) if spans.offsets]
    return [
        CivilityRow(rest, civil, "en", CUT_SOURCE, text_group(spans.text), spans.official_split)
        for spans, rest in found
        if len(rest.split()) >= _FEWEST_WORDS_LEFT
    ]


def without_spans(spans: ToxicSpans) -> str:
    """Return the text without its toxic characters, white space squeezed."""
    marked = frozenset(spans.offsets)
    return " ".join("".join(char for place, char in enumerate(spans.text) if place not in marked).split())


def published_rows(data_dir: Path) -> list[CivilityRow]:
    """Return the readers' comments of ARC, which moderators of a newspaper let through, as not toxic.

    They are of the groups of their debates, so that both models split them alike.

    Raises:
        DataError: a file is missing or malformed.
    """
    civil = attribute_values(dict.fromkeys(ATTRIBUTES, 0.0))
    return [CivilityRow(text, civil, "en", PUBLISHED_SOURCE, group) for text, group in _comments(data_dir)]


def _comments(data_dir: Path) -> Sequence[tuple[str, str]]:
    rows = read_stance(data_dir, ["arc"])
    related = [row for row in rows if row.label != "unrelated"]
    return list(dict.fromkeys((row.text, row.group) for row in related))
