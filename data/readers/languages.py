"""Readers of the civility datasets in other languages, and of the templates in three."""

from collections.abc import Iterator
from pathlib import Path

from data.catalog import Dataset
from data.readers.civility import labelled
from data.rows import UNKNOWN, CivilityRow, attribute_values, text_group
from data.tables import csv_records

__all__ = ["read_germeval", "read_korean", "read_templates", "read_told_br"]


def read_germeval(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`germeval2018.*.txt`: tab-separated without a header; the fine label is used."""
    labels = labelled(dataset)
    columns = ("text", "coarse", "fine")
    for name, official_split in (("training", "train"), ("test", "test")):
        path = folder / f"germeval2018.{name}.txt"
        for record in csv_records(path, columns, delimiter="\t", quoted=False, header=False):
            text, known = record["text"], record.look_up(labels, record["fine"])
            yield CivilityRow(text, known, "de", dataset.source, text_group(text), official_split)


def read_told_br(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`ToLD-BR.csv`: a column a category, with the number of annotators (of three) who saw it."""
    for record in csv_records(folder / "ToLD-BR.csv", ("text", *dataset.columns)):
        votes: dict[str, float] = {}
        for column, attribute in dataset.columns.items():
            for name in (attribute, "TOXICITY"):
                votes[name] = max(votes.get(name, 0.0), record.number(column))
        known = {name: _majority(count) for name, count in votes.items()}
        text = record["text"]
        yield CivilityRow(text, attribute_values(known), "pt", dataset.source, text_group(text))


def _majority(votes_of_three: float) -> float:
    if votes_of_three >= 2:
        return 1.0
    return UNKNOWN if votes_of_three else 0.0


def read_korean(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`train.tsv`, `dev.tsv`: the columns `hate` and `bias` together make the label."""
    labels = labelled(dataset)
    columns = ("comments", "bias", "hate")
    for official_split in ("train", "dev"):
        for record in csv_records(folder / f"{official_split}.tsv", columns, delimiter="\t", quoted=False):
            text, known = record["comments"], record.look_up(labels, f"{record['hate']}/{record['bias']}")
            yield CivilityRow(text, known, "ko", dataset.source, text_group(text), official_split)


def read_templates(folder: Path, dataset: Dataset) -> Iterator[CivilityRow]:
    """`*_sentence_templates.csv` (the group is the template) and neutral Wikipedia sentences."""
    labels = labelled(dataset)
    for language in dataset.languages:
        path = folder / f"{language}_sentence_templates.csv"
        for record in csv_records(path, ("template", "toxicity", "phrase")):
            known = record.look_up(labels, record["toxicity"])
            group = f"template:{language}/{record['template']}"
            yield CivilityRow(record["phrase"], known, language, dataset.source, group)
    path = folder / "toxicity_debiasing_data.tsv"
    for record in csv_records(path, ("comment", "is_toxic", "split"), delimiter="\t"):
        text, known = record["comment"], record.look_up(labels, record["is_toxic"])
        yield CivilityRow(text, known, "en", dataset.source, text_group(text), record["split"])
