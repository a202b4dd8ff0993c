"""How far two runs over the same comments differ: decisions that change, and how the scores move.

Memory stays flat: the older run is put on the disk by id, the newer one is read row by row.
"""

import csv
import gzip
import heapq
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json, to_json

from app.rescore.errors import ArchiveError
from app.rescore.joining import kind_of_output
from app.rescore.recognition import decompressed
from models import ATTRIBUTES

__all__ = ["BINS", "Drift", "Moved", "find_drift", "write_drift"]

BINS = 50
"""Bins an axis of the joint counts from which the plot is drawn."""

_LARGEST = 50


@dataclass(frozen=True, slots=True)
class Moved:
    """A comment, by its id, whose score of an attribute differs."""

    id: str
    attribute: str
    old: float
    new: float
    old_decision: str
    new_decision: str


@dataclass(slots=True)
class Drift:
    """What differs between an older and a newer run."""

    old: str
    new: str
    both: int = 0
    """Comments that both runs scored."""
    only_old: int = 0
    only_new: int = 0
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(old, new) → how many comments."""
    stances: Counter[tuple[str, str]] = field(default_factory=Counter)
    correlations: dict[str, float | None] = field(default_factory=dict)
    """Attribute → Pearson's correlation, None where a run always says the same."""
    differences: dict[str, float] = field(default_factory=dict)
    """Attribute → mean of the absolute differences."""
    largest: list[Moved] = field(default_factory=list)
    joint: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Attribute → counts of shape (BINS, BINS), old across, new up."""

    @property
    def changed(self) -> int:
        """How many decisions change."""
        return sum(count for (old, new), count in self.decisions.items() if old != new)


def find_drift(old: Path, new: Path) -> Drift:
    """Compare two outputs of `counterpoint rescore`, in any of its formats, by id.

    Raises:
        ArchiveError: one of them cannot be read, or is no such output.
    """
    drift = Drift(str(old), str(new))
    sums = {name: _Sums() for name in ATTRIBUTES}
    heap: list[tuple[float, int, Moved]] = []
    with TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "old.sqlite3")) as database:
        database.execute("PRAGMA journal_mode=OFF")
        database.execute(
            "CREATE TABLE old (id TEXT PRIMARY KEY, row BLOB, met INTEGER DEFAULT 0) WITHOUT ROWID"
        )
        rows = ((row["id"], to_json(_needed(row))) for row in _rows(old) if row["id"] is not None)
        database.executemany("INSERT OR IGNORE INTO old (id, row) VALUES (?, ?)", rows)
        for number, after in enumerate(_rows(new)):
            found = database.execute("SELECT row FROM old WHERE id = ?", (after["id"],)).fetchone()
            if found is None:
                drift.only_new += 1
                continue
            database.execute("UPDATE old SET met = 1 WHERE id = ?", (after["id"],))
            _compare(drift, sums, heap, number, from_json(found[0]), after)
        (drift.only_old,) = database.execute("SELECT count(*) FROM old WHERE met = 0").fetchone()
    drift.largest = [moved for _, _, moved in sorted(heap, key=lambda item: (-item[0], -item[1]))]
    drift.correlations = {name: one.correlation() for name, one in sums.items()}
    drift.differences = {name: one.difference / max(one.count, 1) for name, one in sums.items()}
    drift.joint = {name: one.joint for name, one in sums.items()}
    return drift


def write_drift(drift: Drift, path: Path) -> None:
    """Write the figures as JSON."""
    told = {
        name: value for name, value in asdict(drift).items() if name not in {"decisions", "stances", "joint"}
    }
    for name in ("decisions", "stances"):
        counts: Counter[tuple[str, str]] = getattr(drift, name)
        told[name] = {f"{old} -> {new}": count for (old, new), count in sorted(counts.items())}
    told["decisions_changed"] = drift.changed
    path.write_text(json.dumps(told, ensure_ascii=False, indent=2), encoding="utf-8")


class _Sums:
    """Pearson's correlation, row by row (Welford's method: Knuth, TAOCP vol. 2, 4.2.2)."""

    def __init__(self) -> None:
        self.count = 0
        self.difference = 0.0
        self.joint = np.zeros((BINS, BINS), dtype=np.int64)
        self._means = [0.0, 0.0]
        self._squares = [0.0, 0.0, 0.0]

    def add(self, old: float, new: float) -> None:
        self.count += 1
        self.difference += abs(old - new)
        self.joint[min(int(old * BINS), BINS - 1), min(int(new * BINS), BINS - 1)] += 1
        before = old - self._means[0], new - self._means[1]
        self._means = [mean + off / self.count for mean, off in zip(self._means, before, strict=True)]
        after = old - self._means[0], new - self._means[1]
        for place, (first, second) in enumerate(((0, 0), (1, 1), (0, 1))):
            self._squares[place] += before[first] * after[second]

    def correlation(self) -> float | None:
        old, new, both = self._squares
        return both / (old * new) ** 0.5 if old > 0 and new > 0 else None


def _compare(
    drift: Drift,
    sums: dict[str, _Sums],
    heap: list[tuple[float, int, Moved]],
    number: int,
    old: dict[str, Any],
    new: dict[str, Any],
) -> None:
    drift.both += 1
    drift.decisions[old["decision"], new["decision"]] += 1
    if old["stance"] or new["stance"]:
        drift.stances[old["stance"] or "none", new["stance"] or "none"] += 1
    for name in ATTRIBUTES:
        if old[name] is None or new[name] is None:
            continue
        sums[name].add(old[name], new[name])
        moved = Moved(new["id"], name, old[name], new[name], old["decision"], new["decision"])
        item = abs(old[name] - new[name]), -(number * len(ATTRIBUTES) + ATTRIBUTES.index(name)), moved
        if moved.old != moved.new:
            heapq.heappush(heap, item) if len(heap) < _LARGEST else heapq.heappushpop(heap, item)


def _needed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("decision", "stance", *ATTRIBUTES)}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        for row in _read(path):
            scores = {name: None if row[name] in {None, ""} else float(row[name]) for name in ATTRIBUTES}
            yield {
                "id": row["id"] or None,
                "decision": row["decision"],
                "stance": row["stance"] or None,
                **scores,
            }
    except KeyError as error:
        raise ArchiveError(f"{path} is no output of counterpoint rescore: it has no {error}") from None
    except (OSError, EOFError, ValueError) as error:
        raise ArchiveError(f"{path} cannot be read: {error}") from None


def _read(path: Path) -> Iterator[dict[str, Any]]:
    kind = kind_of_output(path)
    if kind == "parquet":
        from app.rescore.parquet import read_dicts

        yield from read_dicts(path)
        return
    with path.open("rb") as packed, _plain(packed, path) as file:
        if kind == "csv":
            yield from csv.DictReader(line.decode() for line in file)
        else:
            yield from map(from_json, file)


def _plain(file: IO[bytes], path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if path.suffix.lower() == ".zst":
        import io

        return io.BufferedReader(cast(Any, decompressed(file, "zstd", str(path))))
    return file
