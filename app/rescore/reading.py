"""From a part to its rows: what can be scored, and why the rest cannot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from app.errors import InvalidRequestError
from app.reading import is_blank, read_score_request
from app.rescore.files import open_address
from app.rescore.job import Job, Mapping, Part, Source
from app.rescore.lines import MAX_LINE_BYTES, TOO_LONG, CsvRecords, read_lines
from app.schemas import ScoreRequest
from app.settings import Settings
from app.threads.markup import text_of_fragment

__all__ = ["HTML", "LINE", "OTHERS", "REJECTED", "Reject", "Row", "getter", "read_part", "read_records"]

OTHERS = "other_columns"
"""Where what is kept of JSON goes that the first lines do not hold."""

LINE, REJECTED, HTML = "counterpoint:line", "counterpoint:rejected", "counterpoint:html"
"""Beside a comment that was turned into JSON lines: its line, why it is none, whether its text is HTML."""

_Record = tuple[int, dict[str, Any] | str | None]
"""Line, and the values by column, or what is wrong, or None for an empty line."""

_LONGEST_ID = 256
_TOO_LONG_REASON = f"the line has more than {MAX_LINE_BYTES} bytes"
_TOO_LONG_MARK = TOO_LONG.strip().decode("latin-1")
_FIELDS_OF_REQUEST = {"comment.parent.text": "parent_text", "article.premise": "premise"}


@dataclass(frozen=True, slots=True)
class Row:
    """A comment of the input. `line` is where it begins, in a table the number of the row."""

    line: int
    number: int
    request: ScoreRequest
    article: str | None = None
    parent: str | None = None
    kept: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """What is no comment that can be scored, and why; the reason never quotes it."""

    line: int
    number: int
    id: str | None
    reason: str


def read_part(job: Job, part: Part, settings: Settings) -> Iterator[Row | Reject | None]:
    """Yield every row of a part in order, None for an empty line.

    Args:
        job: the run.
        part: one of its parts.
        settings: the limits that a comment must keep.

    Raises:
        ArchiveError: the source cannot be read.
    """
    source = job.sources[part.source]
    read = _Reader(job, source, settings)
    for place, (line, record) in enumerate(_READERS[source.kind](source, part)):
        number = part.first_row + place
        if record is None:
            yield None
        elif isinstance(record, str):
            yield Reject(line, number, None, record)
        else:
            yield read.row(line, number, record)


def read_records(source: Source) -> Iterator[dict[str, Any]]:
    """Yield every record of a whole file as it is, with its line; what is none with the reason.

    Raises:
        ArchiveError: the source cannot be read.
    """
    if source.kind == "parquet":
        from app.rescore.parquet import groups_of

        with open_address(source.address) as file:
            groups = groups_of(file, source.name)
        pieces = [
            Part(
                index=0,
                source=0,
                begin=0,
                end=rows,
                first_row=0,
                first_line=1 + sum(groups[:group]),
                rows=rows,
                group=group,
            )
            for group, rows in enumerate(groups)
        ]
    else:
        pieces = [Part(index=0, source=0, begin=0, end=None, first_row=0, first_line=1, rows=0)]
    for piece in pieces:
        records = _READERS[source.kind](source, piece)
        if source.kind == "csv":
            next(records, None)  # the head
        for line, record in records:
            if isinstance(record, dict):
                yield {**record, LINE: record.get(LINE, line)}
            elif record is not None:
                yield {LINE: line, REJECTED: record}


class _Reader:
    """Turns the records of one source into rows."""

    def __init__(self, job: Job, source: Source, settings: Settings) -> None:
        self._settings = settings
        self._stance = job.stance
        self._mapping = source.mapping
        self._get: dict[str, Callable[[dict[str, Any]], Any]] = {
            name: getter(column) for name, column in source.mapping.model_dump().items() if column is not None
        }
        self._kept = job.kept
        self._nested = source.kind == "jsonl"
        used = {column for column in source.mapping.model_dump().values() if column}
        self._used = used | {column.split(".")[0] for column in used} | {LINE, REJECTED, HTML}

    def row(self, line: int, number: int, record: dict[str, Any]) -> Row | Reject:
        if (reason := record.get(REJECTED)) is not None:
            return Reject(record.get(LINE, line), number, _told_id(record.get("id")), str(reason))
        values = {name: get(record) for name, get in self._get.items()}
        if HTML in record:
            values |= {name: _seen(values.get(name)) for name in ("text", "parent_text")}
        line = record.get(LINE, line)
        id = _told_id(values.get("id"))
        try:
            request = self._request(values, str(number + 1) if self._mapping.id is None else id)
            article = _name(values, "article", self._mapping)
            parent = _name(values, "parent", self._mapping)
        except _UnfitError as unfit:
            return Reject(line, number, id, str(unfit))
        return Row(line, number, request, article, parent, self._keep(record))

    def _request(self, values: dict[str, Any], id: str | None) -> ScoreRequest:
        if id is None and values.get("id") is not None:
            raise _UnfitError(f"the id is neither text of 1 to {_LONGEST_ID} characters nor a whole number")
        text = values["text"]
        if text is None or (isinstance(text, str) and is_blank(text)):
            raise _UnfitError("no text")
        comment: dict[str, Any] = {"text": text, "id": id}
        if _filled(language := values.get("language")):
            comment["language"] = language
        request: dict[str, Any] = {"comment": comment}
        if self._stance:
            article = {name: values[name] for name in ("premise", "title") if _filled(values.get(name))}
            if article:
                request["article"] = article
            if _filled(parent := values.get("parent_text")):
                comment["parent"] = {"text": parent}
        try:
            return read_score_request(request, self._settings)
        except InvalidRequestError as refusal:
            raise _UnfitError(
                "; ".join(_reason(error.field, error.message) for error in refusal.errors)
            ) from None

    def _keep(self, record: dict[str, Any]) -> dict[str, Any]:
        if not self._kept:
            return {}
        if not self._nested:
            return {name: record.get(name) for name in self._kept}
        kept = {name: record.get(name) for name in self._kept if name != OTHERS}
        if OTHERS in self._kept:
            others = {
                name: value for name, value in record.items() if name not in kept and name not in self._used
            }
            kept[OTHERS] = to_json(others).decode() if others else None
        return kept


class _UnfitError(Exception):
    pass


def getter(column: str) -> Callable[[dict[str, Any]], Any]:
    """Return what takes the value of a column, which may step into objects with dots, out of a record."""
    path = column.split(".")
    if len(path) == 1:
        return lambda record: record.get(column)

    def get(record: dict[str, Any]) -> Any:
        if column in record:
            return record[column]
        value: Any = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return get


def _seen(value: object) -> object:
    if not isinstance(value, str) or not ("<" in value or "&" in value):
        return value
    return text_of_fragment(value)


def _filled(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and is_blank(value))


def _told_id(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    told = str(value)
    return told if 0 < len(told) <= _LONGEST_ID else None


def _name(values: dict[str, Any], field: str, mapping: Mapping) -> str | None:
    value = values.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _UnfitError(f"{getattr(mapping, field)} is neither text nor a whole number")
    return str(value)


def _reason(field: str, message: str) -> str:
    return f"{_FIELDS_OF_REQUEST.get(field, field.rsplit('.', 1)[-1])} {message}"


def _json_records(source: Source, part: Part) -> Iterator[_Record]:
    with open_address(source.address) as file:
        for place, (line, _) in enumerate(read_lines(file, part.begin, part.end)):
            yield part.first_line + place, _json_record(line)


def _json_record(line: bytes) -> dict[str, Any] | str | None:
    if line is TOO_LONG:
        return _TOO_LONG_REASON
    if line.startswith(b"\xef\xbb\xbf"):
        line = line[3:]
    try:
        value = from_json(line, cache_strings="keys")
    except ValueError:
        return None if not line.strip() else _why_no_json(line)
    return value if isinstance(value, dict) else "not an object of JSON"


def _why_no_json(line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "invalid UTF-8"
    return "broken JSON"


def _csv_records(source: Source, part: Part) -> Iterator[_Record]:
    head = source.columns
    with open_address(source.address) as file:
        for line, values in CsvRecords(file, source.delimiter, part.begin, part.end):
            yield part.first_line + line, _csv_record(head, values)


def _csv_record(head: tuple[str, ...], values: list[str] | str) -> dict[str, Any] | str | None:
    if isinstance(values, str):
        return values
    if not values:
        return None
    joined = "\0".join(values)
    if _TOO_LONG_MARK in joined:
        return _TOO_LONG_REASON
    if len(values) != len(head):
        return f"has {len(values)} values, the head has {len(head)}"
    if not joined.isascii():
        try:
            values = [value.encode("latin-1").decode() for value in values]
        except UnicodeDecodeError:
            return "invalid UTF-8"
    return dict(zip(head, values, strict=True))


def _parquet_records(source: Source, part: Part) -> Iterator[_Record]:
    from app.rescore.parquet import read_group

    with open_address(source.address) as file:
        for place, record in enumerate(read_group(file, part.group, part.begin, part.end or 0)):
            yield part.first_line + place, record


_READERS: dict[str, Callable[[Source, Part], Iterator[_Record]]] = {
    "jsonl": _json_records,
    "csv": _csv_records,
    "parquet": _parquet_records,
}
