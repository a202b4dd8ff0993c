"""Reading the files themselves: every fault names the file and the line."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from data.errors import MalformedFileError, MissingDataError

__all__ = ["Record", "csv_records", "json_lines", "json_value", "text_of"]

Value = TypeVar("Value")
_FEW = 10


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file, which knows where it stands."""

    path: Path
    place: str
    fields: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except (KeyError, TypeError):
            self.fail(f"the field {name!r} is missing")

    def text(self, name: str) -> str:
        """Return a field that must be text (JSON has other kinds)."""
        value = self[name]
        return value if isinstance(value, str) else self.fail(f"the field {name!r} is not text")

    def items(self, name: str) -> list[Any]:
        """Return a field that must be a list (of JSON)."""
        value = self[name]
        return value if isinstance(value, list) else self.fail(f"the field {name!r} is not a list")

    def look_up(self, table: Mapping[Any, Value], key: object) -> Value:
        """Return what `table` has for `key`; one that it does not have is a fault of the file."""
        try:
            return table[key]
        except (KeyError, TypeError):
            known = f" (known are {', '.join(map(str, table))})" if len(table) <= _FEW else ""
            self.fail(f"unknown value {key!r}{known}")

    def number(self, name: str) -> float:
        """Return a field as a number."""
        try:
            return float(self[name])
        except (TypeError, ValueError):
            self.fail(f"the field {name!r} is not a number: {str(self[name])[:40]!r}")

    def fail(self, reason: str) -> NoReturn:
        """Raise `MalformedFileError` for this record."""
        raise MalformedFileError(self.path, self.place, reason)


def text_of(path: Path) -> str:
    """Return a whole file as text (UTF-8; `.gz` is unpacked).

    Raises:
        MissingDataError: it is not there.
        MalformedFileError: it is not UTF-8, or not a whole gzip file.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise MissingDataError(
            f"{path} is missing: `counterpoint data verify` lists what is, `counterpoint data fetch` gets it."
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
        raise MalformedFileError(path, "line 1", f"not a whole gzip file ({fault})") from fault
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise MalformedFileError(path, f"line {line}", f"not UTF-8 ({fault.reason})") from fault


def csv_records(
    path: Path,
    columns: tuple[str, ...],
    *,
    delimiter: str = ",",
    quoted: bool = True,
    header: bool = True,
) -> Iterator[Record]:
    """Yield the records of a CSV or TSV file that has at least `columns`.

    Without `header` the file has exactly `columns`. Without `quoted`, quotation marks are text.

    Raises:
        MissingDataError: the file is not there.
        MalformedFileError: a column is missing, a record has too few or too many fields.
    """
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(
        io.StringIO(text_of(path), newline=""), delimiter=delimiter, quoting=quoting, strict=quoted
    )
    names = list(columns)
    try:
        if header:
            names = next(reader, [])
            missing = [name for name in columns if name not in names]
            if missing:
                raise MalformedFileError(path, "line 1", f"the column {missing[0]!r} is missing")
        start = reader.line_num + 1
        for fields in reader:
            if fields and len(fields) != len(names):
                raise MalformedFileError(
                    path, f"line {start}", f"{len(fields)} fields instead of {len(names)}"
                )
            if fields:
                yield Record(path, f"line {start}", dict(zip(names, fields, strict=True)))
            start = reader.line_num + 1
    except csv.Error as fault:
        raise MalformedFileError(path, f"line {reader.line_num}", str(fault)) from fault


def json_lines(path: Path) -> Iterator[Record]:
    """Yield the objects of a file that has one JSON object a line."""
    for number, line in enumerate(text_of(path).split("\n"), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError as fault:
                raise MalformedFileError(path, f"line {number}", f"not JSON ({fault})") from fault
            if not isinstance(value, dict):
                raise MalformedFileError(path, f"line {number}", "not a JSON object")
            yield Record(path, f"line {number}", value)


def json_value(path: Path, kind: type[Value]) -> Value:
    """Return the one JSON value of a file, which must be of this kind."""
    try:
        value = json.loads(text_of(path))
    except json.JSONDecodeError as fault:
        raise MalformedFileError(path, f"line {fault.lineno}", f"not JSON ({fault.msg})") from fault
    if not isinstance(value, kind):
        raise MalformedFileError(path, "line 1", f"not a JSON {kind.__name__}")
    return value
