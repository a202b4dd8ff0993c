"""Readers of comments and reasons from newspaper debates: ARC and the reasons drawn from it."""

from collections.abc import Iterator
from pathlib import Path

from data.catalog import Dataset
from data.errors import MalformedFileError
from data.rows import StanceRow, debate_group
from data.tables import csv_records, text_of

__all__ = ["read_arc", "read_arct_reasons"]

RESERVED = "reserved_body_ids.txt"


def read_arc(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """ARC's stances joined to their bodies, without the reserved posts, whoever's files these are.

    Raises:
        MissingDataError: a file is missing; the list of reserved posts counts as one.
        MalformedFileError: a stance names an unknown body or a claim without a debate.
    """
    reserved = _reserved_ids(folder / RESERVED)
    bodies = {
        record["Body ID"]: record["articleBody"]
        for record in csv_records(folder / "arc_bodies.csv", ("Body ID", "articleBody"))
        if record["Body ID"].strip() not in reserved
    }
    debates = {
        record["Headline"]: debate_group(record["debateTitle"])
        for record in csv_records(folder / "arc_debates.csv", ("Headline", "debateTitle"))
    }
    for official_split in ("train", "test"):
        path = folder / f"arc_stances_{official_split}.csv"
        for record in csv_records(path, ("Headline", "Body ID", "Stance")):
            claim, body_id = record["Headline"], record["Body ID"]
            if body_id.strip() in reserved:
                continue
            if body_id not in bodies:
                record.fail(f"no body has the Body ID {body_id!r}")
            group = record.look_up(debates, claim)
            label = record.look_up(dataset.labels, record["Stance"])
            yield StanceRow(claim, bodies[body_id], label, dataset.source, group, official_split)


def _reserved_ids(path: Path) -> frozenset[str]:
    ids = frozenset(text_of(path).split())
    if not ids or not all(body_id.isdigit() for body_id in ids):
        raise MalformedFileError(path, "line 1", "not a list of Body IDs, one a line")
    return ids


def read_arct_reasons(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """`reasons.csv`: a reason agrees with its annotated stance and disagrees with the opposing one."""
    columns = ("reason", "debateTitle", *dataset.labels)
    for record in csv_records(folder / "reasons.csv", columns):
        for column, label in dataset.labels.items():
            group = debate_group(record["debateTitle"])
            yield StanceRow(record[column], record["reason"], label, dataset.source, group)
