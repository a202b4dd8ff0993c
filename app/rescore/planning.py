"""Cutting an input into parts: the same ones whoever reads it, at whatever speed."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from app.rescore.columns import find_columns
from app.rescore.errors import ArchiveError
from app.rescore.files import digest_of, open_address
from app.rescore.job import Kind, Part, Source
from app.rescore.lines import CsvRecords, read_lines
from app.rescore.reading import OTHERS

__all__ = ["PART_BYTES", "Cut", "cut_source", "describe_source", "kept_columns"]

PART_BYTES = 4_000_000
"""About how many bytes of lines a part has: some seconds of work."""

_BLOCK = 1 << 20
_HEAD_LINES = 1_000
_FINE_ROWS, _COARSE_ROWS = 16_384, 65_536
_LARGE_GROUP = 262_144
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Cut:
    """A source's parts and the sha256 of its bytes."""

    parts: list[Part]
    digest: str


def describe_source(
    name: str, address: str, kind: Kind, given: dict[str, str | None], *, tab: bool
) -> Source:
    """Return a source with its columns recognised.

    Raises:
        ArchiveError: there is no column of text.
    """
    delimiter = "\t" if tab else ","
    if kind == "parquet":
        from app.rescore.parquet import schema_of

        with open_address(address) as file:
            columns = schema_of(file, name)
    elif kind == "csv":
        delimiter = "\t" if tab else _delimiter_of(address)
        columns = _head_of_csv(address, delimiter, name)
    else:
        columns = _columns_of_json(address)
    return Source(
        name=name,
        address=address,
        kind=kind,
        mapping=find_columns(columns, given, name),
        columns=tuple(columns),
        delimiter=delimiter,
    )


def kept_columns(sources: list[Source]) -> tuple[str, ...]:
    """Return the columns that no field is read from, and one for what later lines of JSON may hold."""
    kept: dict[str, None] = {}
    for source in sources:
        used = {column for column in source.mapping.model_dump().values() if column}
        tops = {column.split(".")[0] for column in used} | used
        kept |= dict.fromkeys(column for column in source.columns if column not in tops and "." not in column)
    if any(source.kind == "jsonl" for source in sources):
        kept[OTHERS] = None
    return tuple(kept)


def cut_source(
    source: Source, place: int, first: Part | None, part_bytes: int, progress: Callable[[int], None]
) -> Cut:
    """Cut a source.

    Args:
        source: what to cut.
        place: its place among the sources.
        first: the last part before it, None at the beginning.
        part_bytes: about how large parts of lines are.
        progress: called with the bytes read since the last call.
    """
    cut = {"jsonl": _cut_lines, "csv": _cut_csv, "parquet": _cut_parquet}[source.kind]
    digest = hashlib.sha256() if source.kind == "jsonl" else None
    index, row = (0, 0) if first is None else (first.index + 1, first.first_row + first.rows)
    parts = []
    for piece in cut(source, part_bytes, digest, progress):
        parts.append(Part(index=index, source=place, first_row=row, **piece))
        index, row = index + 1, row + parts[-1].rows
    return Cut(parts, digest_of(source.address) if digest is None else digest.hexdigest())


def _cut_lines(
    source: Source, part_bytes: int, digest: Any, progress: Callable[[int], None]
) -> Iterator[dict[str, int]]:
    begin = at = 0
    first_line, lines = 1, 0
    ended = True
    with open_address(source.address) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            progress(len(block))
            start = 0
            while (wanted := begin + part_bytes - at) < len(block):
                end = block.find(b"\n", max(start, wanted)) + 1
                if not end:
                    break
                lines += block.count(b"\n", start, end)
                yield {"begin": begin, "end": at + end, "first_line": first_line, "rows": lines}
                begin, first_line, lines, start = at + end, first_line + lines, 0, end
            lines += block.count(b"\n", start)
            at += len(block)
            ended = block.endswith(b"\n")
    if at > begin:
        rows = lines + (not ended)
        yield {"begin": begin, "end": at, "first_line": first_line, "rows": rows}


def _cut_csv(
    source: Source, part_bytes: int, digest: Any, progress: Callable[[int], None]
) -> Iterator[dict[str, int]]:
    with open_address(source.address) as file:
        records = CsvRecords(file, source.delimiter)
        iterator = iter(records)
        next(iterator)  # the head
        begin, first_line, rows = records.offset, records.line + 1, 0
        for _ in iterator:
            rows += 1
            if records.offset - begin >= part_bytes:
                yield {"begin": begin, "end": records.offset, "first_line": first_line, "rows": rows}
                progress(records.offset - begin)
                begin, first_line, rows = records.offset, records.line + 1, 0
        if rows:
            yield {"begin": begin, "end": records.offset, "first_line": first_line, "rows": rows}
            progress(records.offset - begin)


def _cut_parquet(
    source: Source, part_bytes: int, digest: Any, progress: Callable[[int], None]
) -> Iterator[dict[str, int]]:
    from app.rescore.parquet import groups_of

    line = 1
    with open_address(source.address) as file:
        groups = groups_of(file, source.name)
    for group, count in enumerate(groups):
        # A part in the middle of a group reads past what is before it: large ones are cut less finely.
        step = _FINE_ROWS if count <= _LARGE_GROUP else _COARSE_ROWS
        for begin in range(0, count, step):
            end = min(begin + step, count)
            yield {"begin": begin, "end": end, "first_line": line, "rows": end - begin, "group": group}
            line += end - begin


def _head_of_csv(address: str, delimiter: str, name: str) -> list[str]:
    with open_address(address) as file:
        _, head = next(iter(CsvRecords(file, delimiter)), (0, []))
    if isinstance(head, str) or not head:
        raise ArchiveError(f"{name} does not begin with the names of its columns")
    try:
        names = [name.encode("latin-1").decode("utf-8-sig").strip() for name in head]
    except UnicodeDecodeError:
        raise ArchiveError(f"{name} is not in UTF-8") from None
    if len(set(names)) < len(names):
        raise ArchiveError(f"{name} has two columns of the same name")
    return names


def _delimiter_of(address: str) -> str:
    with open_address(address) as file:
        line, _ = next(read_lines(file, 0, None), (b"", 0))
    return max(_DELIMITERS, key=lambda mark: line.count(mark.encode()))


def _columns_of_json(address: str) -> list[str]:
    found: dict[str, None] = {}
    with open_address(address) as file:
        for count, (line, _) in enumerate(read_lines(file, 0, None)):
            if count >= _HEAD_LINES:
                break
            try:
                value = from_json(line.removeprefix(b"\xef\xbb\xbf"))
            except ValueError:
                continue
            found |= dict.fromkeys(_paths(value))
    return list(found)


def _paths(value: object, before: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if not name.startswith("counterpoint:"):
                yield before + name
                yield from _paths(inner, f"{before}{name}.") if before.count(".") < 2 else ()
