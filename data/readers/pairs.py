"""Readers of other pairs: headlines and bodies, posts and replies, sentences of one word's difference."""

from collections.abc import Iterator
from pathlib import Path

from data.catalog import Dataset
from data.rows import StanceRow, text_group
from data.tables import csv_records, json_lines

__all__ = ["read_breaking_nli", "read_fnc", "read_replies"]

PLACEHOLDERS = frozenset({"[deleted]", "[removed]"})


def read_fnc(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """Headlines (the premise) against bodies (the text); the group is the body."""
    for name, official_split in (("train", "train"), ("competition_test", "test")):
        bodies = {
            record["Body ID"]: record["articleBody"]
            for record in csv_records(folder / f"{name}_bodies.csv", ("Body ID", "articleBody"))
        }
        for record in csv_records(folder / f"{name}_stances.csv", ("Headline", "Body ID", "Stance")):
            body_id = record["Body ID"]
            if body_id not in bodies:
                record.fail(f"no body has the Body ID {body_id!r}")
            label = record.look_up(dataset.labels, record["Stance"])
            group = f"fnc-body:{official_split}/{body_id}"
            yield StanceRow(record["Headline"], bodies[body_id], label, dataset.source, group, official_split)


def read_replies(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """`replies.csv`: the parent is the premise; the group is the thread, as far as texts show it."""
    columns = ("set", "split", "parent", "reply", "label")
    records = [
        record
        for record in csv_records(folder / "replies.csv", columns)
        if PLACEHOLDERS.isdisjoint((record["parent"], record["reply"]))
    ]
    parents: dict[str, str] = {}
    for record in records:
        parents.setdefault(record["reply"], record["parent"])
    for record in records:
        parent, label = record["parent"], record.look_up(dataset.labels, record["label"])
        group = f"thread:{text_group(_root(parent, parents))}"
        yield StanceRow(parent, record["reply"], label, dataset.source, group, record["split"] or None)


def _root(text: str, parents: dict[str, str]) -> str:
    seen: set[str] = set()
    while text in parents and text not in seen:
        seen.add(text)
        text = parents[text]
    # Texts that answer each other in a circle must still agree on one root.
    return min(seen) if text in seen else text


def read_breaking_nli(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """`dataset.jsonl`: the second sentence against the first; the group is the first."""
    for record in json_lines(folder / "dataset.jsonl"):
        premise, label = record.text("sentence1"), record.look_up(dataset.labels, record["gold_label"])
        yield StanceRow(premise, record.text("sentence2"), label, dataset.source, text_group(premise))
