"""Readers of the English civility datasets, from their original formats."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.catalog import Dataset, shipped_catalog
from data.rows import CivilityRow, attribute_values, text_group
from data.tables import Record, csv_records, json_lines

__all__ = [
    "ToxicSpans",
    "labelled",
    "read_davidson",
    "read_fox_news",
    "read_jigsaw",
    "read_paradetox",
    "read_reddit_incivility",
    "read_toxic_spans",
    "read_toxic_spans_rows",
    "read_wiki_context",
]

Known = tuple[float, ...]

# How the UTF-8 bytes of typographic quotes and dashes begin once they were read as Mac Roman.
_MAC_ROMAN_QUOTE = "\u201a\u00c4"


def labelled(dataset: Dataset) -> dict[str, Known]:
    """Return the catalog's labels with their attributes in the order of `ATTRIBUTES`."""
    return {label: attribute_values(known) for label, known in dataset.labels.items()}


def read_jigsaw(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`train.csv.gz`: six columns of 0, 1 or nothing, and `any_label`."""
    columns = dataset.columns
    own = {name: column for column, name in columns.items() if column != "any_label"}
    for record in csv_records(folder / "train.csv.gz", ("comment_text", *columns)):
        known = {name: record.number(column) for name, column in own.items() if record[column] != ""}
        if not known and record.number("any_label") == 1.0:
            known = {columns["any_label"]: 1.0}
        text = record["comment_text"]
        yield CivilityRow(text, attribute_values(known), "en", dataset.source, text_group(text))


def read_davidson(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`labeled_data.csv`: class 0, 1 or 2."""
    labels = labelled(dataset)
    for record in csv_records(folder / "labeled_data.csv", ("class", "tweet")):
        text = record["tweet"]
        yield CivilityRow(
            text, record.look_up(labels, record["class"]), "en", dataset.source, text_group(text)
        )


@dataclass(frozen=True, slots=True)
class ToxicSpans:
    """A text and the places of its characters that annotators marked as toxic (code points)."""

    text: str
    offsets: tuple[int, ...]
    official_split: str


def read_toxic_spans(data_dir: Path) -> list[ToxicSpans]:
    """Read the toxic-spans set with its character offsets, in the order of the files.

    Raises:
        DataError: a file is missing or malformed.
    """
    dataset = shipped_catalog()["civility/toxic-spans"]
    return list(_toxic_spans(data_dir / dataset.name))


def read_toxic_spans_rows(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`tsd_train.csv`, `tsd_trial.csv`: any marked character makes the text toxic."""
    labels = labelled(dataset)
    for spans in _toxic_spans(folder):
        known = labels["spans" if spans.offsets else "no spans"]
        yield CivilityRow(
            spans.text, known, "en", dataset.source, text_group(spans.text), spans.official_split
        )


def _toxic_spans(folder: Path) -> Iterator[ToxicSpans]:
    for name, official_split in (("tsd_train.csv", "train"), ("tsd_trial.csv", "dev")):
        for record in csv_records(folder / name, ("spans", "text")):
            yield ToxicSpans(record["text"], _offsets(record), official_split)


def _offsets(record: Record) -> tuple[int, ...]:
    try:
        offsets = tuple(int(offset) for offset in json.loads(record["spans"]))
    except (TypeError, ValueError):
        record.fail("spans is not a list of numbers")
    if any(not 0 <= offset < len(record["text"]) for offset in offsets):
        record.fail("spans names a character outside the text")
    return offsets


def read_fox_news(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`fox-news-comments.json`: JSON lines with the article's title and the comment before."""
    labels = labelled(dataset)
    for record in json_lines(folder / "fox-news-comments.json"):
        title = record.text("title")
        known = record.look_up(labels, str(record["label"]))
        yield CivilityRow(
            record.text("text"),
            known,
            "en",
            dataset.source,
            f"article:{title}",
            parent=record.text("prev") or None,
            premise=title,
        )


def read_wiki_context(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`gc.csv`, `gn.csv` and `cat_small.csv`, each with its own name for the parent and the label."""
    labels = labelled(dataset)
    for name, parent, label in (
        ("gc.csv", "parent", "label"),
        ("gn.csv", "parent", "label"),
        ("cat_small.csv", "parent_text", "label_oc"),
    ):
        for record in csv_records(folder / name, ("text", parent, label)):
            text, known = record["text"], record.look_up(labels, record[label])
            yield CivilityRow(
                text, known, "en", dataset.source, text_group(text), parent=record[parent] or None
            )


def read_reddit_incivility(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`incivility_coded_0302.csv`: 1 is uncivil."""
    labels = labelled(dataset)
    for record in csv_records(folder / "incivility_coded_0302.csv", ("comment", "correction")):
        text = _mended(record["comment"]).strip()
        known = record.look_up(labels, record["correction"])
        yield CivilityRow(text, known, "en", dataset.source, text_group(text))


def _mended(text: str) -> str:
    if _MAC_ROMAN_QUOTE not in text:
        return text
    try:
        return text.encode("mac_roman").decode("utf-8")
    except UnicodeError:
        return text


def read_paradetox(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`paradetox.tsv`: a toxic sentence and up to three civil rewrites."""
    labels = labelled(dataset)
    rewrites = ("neutral1", "neutral2", "neutral3")
    for record in csv_records(folder / "paradetox.tsv", ("toxic", *rewrites), delimiter="\t"):
        group = text_group(record["toxic"])
        yield CivilityRow(record["toxic"], labels["toxic"], "en", dataset.source, group)
        for rewrite in filter(None, (record[column] for column in rewrites)):
            yield CivilityRow(rewrite, labels["neutral"], "en", dataset.source, group)
