"""What a run is: its sources, the parts they are cut into, and what is to be done with each."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Job", "Kind", "Mapping", "Model", "Part", "Receipt", "Source"]

Kind = Literal["jsonl", "csv", "parquet"]
"""What parts are read from, and outputs written as; every other format is turned into JSON lines first."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Mapping(_Frozen):
    """Field → the column it is read from, None where there is none. A dot steps into an object."""

    text: str
    id: str | None = None
    article: str | None = None
    title: str | None = None
    premise: str | None = None
    parent: str | None = None
    parent_text: str | None = None
    language: str | None = None


class Source(_Frozen):
    """One file to read parts from."""

    name: str
    """As the rejects file calls it."""
    address: str
    """What the workers open: a path, or an address of fsspec."""
    kind: Kind
    mapping: Mapping
    columns: tuple[str, ...] = ()
    """The head of a CSV file, the schema of a Parquet file, what the first lines of JSON hold."""
    delimiter: str = ","


class Part(_Frozen):
    """A piece of a source: bytes of a file of lines, or rows of a row group of Parquet."""

    index: int
    source: int
    begin: int
    end: int | None
    """Bytes, the end exclusive, None for all; in Parquet rows of the row group."""
    first_row: int
    """Number of the first row in the whole input, from 0."""
    first_line: int
    """Number of the first line (or row) in the source, from 1."""
    rows: int
    group: int = 0


class Model(_Frozen):
    """What scores: a bundle here, or whatever the service has."""

    version: str
    digest: str | None
    """Of the bundle's manifest, which lists those of its files; None through a service."""
    folder: str | None
    settings: dict[str, Any]
    """The settings on which an answer depends; empty through a service."""


class Job(_Frozen):
    """All that a worker has to know beside its part; the same on every engine."""

    folder: str
    """Where the parts are written."""
    sources: tuple[Source, ...]
    total: int
    """Rows in the whole input; empty lines count."""
    kind: Kind
    """What the parts are written as."""
    kept: tuple[str, ...]
    """Columns of the input that go into the output."""
    stance: bool
    sample: int | None
    run_id: str
    model: Model

    def part_file(self, part: int, what: str) -> Path:
        """Return the path of one of the files of a part."""
        return Path(self.folder) / "parts" / f"{part:06d}.{what}"


class Receipt(_Frozen):
    """What became of a part; it is written last, so that a part with one is finished."""

    part: int
    scored: int
    rejected: int
    blank: int
    """Empty lines, which are no rows."""
    left_out: int
    """Rows that are not in the sample."""
    sizes: dict[str, int]
    """Bytes of each file of the part."""
    decisions: dict[str, int]
    seconds: float
    cpu_seconds: float
    """Of the thread that scored here; what a service takes is not in it."""
