"""Readers of arguments for and against a motion; the motion is premise and group."""

import csv
from collections.abc import Iterator
from pathlib import Path

from data.catalog import Dataset
from data.errors import MalformedFileError, MissingDataError
from data.rows import StanceRow, motion_group
from data.tables import Record, csv_records, json_value, text_of

__all__ = [
    "read_argkp",
    "read_argq",
    "read_claim_stance",
    "read_perspectrum",
    "read_ukpconvarg",
    "read_valueeval",
]


def read_argq(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """`arg_quality_rank_30k.csv`: stance 1 or -1 with the annotators' confidence."""
    columns = ("argument", "topic", "set", "stance_WA", "stance_WA_conf")
    for record in csv_records(folder / "arg_quality_rank_30k.csv", columns):
        yield StanceRow(
            record["topic"],
            record["argument"],
            record.look_up(dataset.labels, record["stance_WA"]),
            dataset.source,
            motion_group(record["topic"]),
            record["set"],
            record.number("stance_WA_conf"),
        )


def read_argkp(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """`ArgKP-2021_dataset.csv`: an argument is read once, however many key points it was tried against."""
    seen = set()
    for record in csv_records(folder / "ArgKP-2021_dataset.csv", ("topic", "argument", "stance")):
        topic, argument = record["topic"], record["argument"]
        if (topic, argument) not in seen:
            seen.add((topic, argument))
            label = record.look_up(dataset.labels, record["stance"])
            yield StanceRow(topic, argument, label, dataset.source, motion_group(topic))


def read_valueeval(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """`arguments-*.tsv`: the conclusion is our premise, the premise our text."""
    columns = ("Conclusion", "Stance", "Premise")
    for name, official_split in (("training", "train"), ("validation", "dev"), ("test", "test")):
        for record in csv_records(folder / f"arguments-{name}.tsv", columns, delimiter="\t", quoted=False):
            motion, label = record["Conclusion"], record.look_up(dataset.labels, record["Stance"])
            yield StanceRow(
                motion, record["Premise"], label, dataset.source, motion_group(motion), official_split
            )


def read_claim_stance(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """`claim_stance_dataset_v1.csv`: records that a spreadsheet quoted whole and cut to pieces."""
    for record in _respread(folder / "claim_stance_dataset_v1.csv"):
        motion = record["topicText"]
        yield StanceRow(
            motion,
            record["claims.claimCorrectedText"],
            record.look_up(dataset.labels, record["claims.stance"]),
            dataset.source,
            motion_group(motion),
            record["split"],
        )


def _respread(path: Path) -> Iterator[Record]:
    names: list[str] = []
    pending, start = "", 1
    for number, line in enumerate(text_of(path).splitlines(), 1):
        if not pending:
            start = number
        try:
            pending += ";".join(next(csv.reader([line], delimiter=";"), [])).rstrip(";")
            if not pending or pending.count('"') % 2:  # a text goes on in the next line
                continue
            fields = next(csv.reader([pending]))
        except csv.Error as fault:
            raise MalformedFileError(path, f"line {number}", str(fault)) from fault
        pending = ""
        names = names or fields
        if len(fields) != len(names):
            raise MalformedFileError(path, f"line {start}", f"{len(fields)} fields instead of {len(names)}")
        if fields is not names:
            yield Record(path, f"line {start}", dict(zip(names, fields, strict=True)))
    if pending:
        raise MalformedFileError(path, f"line {start}", "the record does not end")


def read_perspectrum(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """Claims with clusters of perspectives; every perspective of a cluster has the cluster's stance."""
    pool_path, claims_path = (
        folder / f"{name}_v1.0.json" for name in ("perspective_pool", "perspectrum_with_answers")
    )
    pool = {}
    for number, entry in enumerate(json_value(pool_path, list), 1):
        perspective = Record(pool_path, f"entry {number}", entry)
        pool[str(perspective["pId"])] = perspective.text("text")
    splits = json_value(folder / "dataset_split_v1.0.json", dict)
    for number, entry in enumerate(json_value(claims_path, list), 1):
        claim = Record(claims_path, f"entry {number}", entry)
        motion, official_split = claim.text("text"), claim.look_up(splits, str(claim["cId"]))
        for cluster in (Record(claims_path, claim.place, part) for part in claim.items("perspectives")):
            label = cluster.look_up(dataset.labels, cluster["stance_label_3"])
            for pid in cluster.items("pids"):
                text = cluster.look_up(pool, str(pid))
                yield StanceRow(motion, text, label, dataset.source, motion_group(motion), official_split)


def read_ukpconvarg(folder: Path, dataset: Dataset) -> Iterator[StanceRow]:
    """One file a debate and side, `debate_side.csv`: each argument against both sides' premises."""
    sides: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*_*.csv")):
        sides.setdefault(path.stem.split("_")[0], []).append(path)
    if not sides:
        raise MissingDataError(f"{folder} holds no file of a debate: `counterpoint data fetch` gets them.")
    for debate, paths in sides.items():
        if len(paths) != 2:
            raise MalformedFileError(paths[0], "file name", f"{debate} has {len(paths)} sides instead of 2")
        for own, opposite in (paths, paths[::-1]):
            for record in csv_records(own, ("#id", "argument"), delimiter="\t", quoted=False):
                text = " ".join(record["argument"].replace("<br/>", " ").split())
                group = motion_group(debate)
                for path, side in ((own, "own side"), (opposite, "opposite side")):
                    yield StanceRow(_side_premise(path), text, dataset.labels[side], dataset.source, group)


def _side_premise(path: Path) -> str:
    debate, side = (part.replace("-", " ").strip().capitalize() for part in path.stem.split("_", 1))
    return f"{debate}? {side}."
