"""The files of a part and of the whole: JSON lines, CSV, Parquet."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from pydantic_core import to_json

from app.rescore.job import Kind

__all__ = ["PartWriter", "open_writer", "read_back"]

Values = Sequence[Any]


class PartWriter(Protocol):
    """Takes rows, in order."""

    def write(self, rows: Sequence[Values]) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what is still held."""


def open_writer(kind: Kind, file: IO[bytes], columns: Sequence[str], *, head: bool = False) -> PartWriter:
    """Return what writes rows of these columns to a file.

    Args:
        kind: the format.
        file: where to; it stays open.
        columns: the names, in the order of the values.
        head: whether a CSV file begins with the names.
    """
    if kind == "jsonl":
        return _JsonLines(file, columns)
    if kind == "csv":
        return _Csv(file, columns, head)
    from app.rescore.parquet import ParquetWriter

    return ParquetWriter(file, columns)


class _JsonLines:
    def __init__(self, file: IO[bytes], columns: Sequence[str]) -> None:
        self._file, self._columns = file, columns

    def write(self, rows: Sequence[Values]) -> None:
        columns = self._columns
        self._file.writelines(
            to_json(dict(zip(columns, row, strict=True)), inf_nan_mode="null") + b"\n" for row in rows
        )

    def close(self) -> None:
        pass


class _Csv:
    def __init__(self, file: IO[bytes], columns: Sequence[str], head: bool) -> None:
        self._file = file
        if head:
            self.write([columns])

    def write(self, rows: Sequence[Values]) -> None:
        held = io.StringIO(newline="")
        csv.writer(held, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
        self._file.write(held.getvalue().encode("utf-8", "replace"))

    def close(self) -> None:
        pass


def _cell(value: Any) -> Any:
    return to_json(value).decode() if isinstance(value, dict | list | bool) else value


def read_back(kind: Kind, path: Path, columns: Sequence[str]) -> Iterator[Values]:
    """Yield the rows of a part that `open_writer` wrote, as it takes them.

    Args:
        kind: the format.
        path: the file of a part.
        columns: the names of its columns.
    """
    if kind == "csv":
        with path.open(encoding="utf-8", newline="") as text:
            yield from csv.reader(text)
    elif kind == "jsonl":
        from pydantic_core import from_json

        with path.open("rb") as file:
            for line in file:
                yield tuple(from_json(line).values())
    else:
        from app.rescore.parquet import read_file

        yield from read_file(path)
