"""A file of texts: JSON lines, a table, or one text a line."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.compare.errors import CompareError
from app.reading import is_blank
from app.threads.source import without_lone_surrogates

__all__ = ["Text", "read_texts"]

_Reader = Callable[[Iterable[str], str, str], Iterator["Text"]]


@dataclass(frozen=True, slots=True)
class Text:
    """One text of the file; `id` is its own, or the number of its line or row."""

    id: str
    text: str = field(repr=False)


def read_texts(path: Path, *, text_field: str = "text", id_field: str = "id") -> list[Text]:
    """Return the texts in a file, blank ones left out.

    Args:
        path: JSON lines (`.jsonl`, `.ndjson`: objects or strings), a table with a head (`.csv`, `.tsv`),
            or else one text a line. UTF-8.
        text_field: field or column of the text; `comment.text` is the field `text` of `comment`.
        id_field: that of the id; where there is none, the number of the line or row is the id.

    Raises:
        CompareError: the file cannot be read, or holds no text; the message names the line.
    """
    readers: dict[str, _Reader] = {
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".csv": _comma_separated,
        ".tsv": _tab_separated,
    }
    read = readers.get(path.suffix.lower(), _lines)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            found = [item for item in read(lines, text_field, id_field) if not is_blank(item.text)]
    except OSError as error:
        raise CompareError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise CompareError(f"{path} is not in UTF-8") from None
    except csv.Error as error:
        raise CompareError(f"{path} is not a table: {error}") from None
    if not found:
        raise CompareError(f"{path} holds no text")
    return found


def _lines(lines: Iterable[str], _text_field: str, _id_field: str) -> Iterator[Text]:
    for number, line in enumerate(lines, start=1):
        yield Text(str(number), line.rstrip("\r\n"))


def _json_lines(lines: Iterable[str], text_field: str, id_field: str) -> Iterator[Text]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise CompareError(f"line {number} is not JSON") from None
        text = value if isinstance(value, str) else _field(value, text_field)
        if not isinstance(text, str):
            raise CompareError(f"line {number} has no text in the field {text_field}")
        own = _field(value, id_field)
        own_id = str(own) if isinstance(own, str | int) else str(number)
        yield Text(without_lone_surrogates(own_id), without_lone_surrogates(text))


def _field(value: object, path: str) -> object:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _comma_separated(lines: Iterable[str], text_field: str, id_field: str) -> Iterator[Text]:
    return _rows(csv.DictReader(lines, strict=True), text_field, id_field)


def _tab_separated(lines: Iterable[str], text_field: str, id_field: str) -> Iterator[Text]:
    return _rows(csv.DictReader(lines, dialect="excel-tab", strict=True), text_field, id_field)


def _rows(table: "csv.DictReader[str]", text_field: str, id_field: str) -> Iterator[Text]:
    if text_field not in (table.fieldnames or ()):
        raise CompareError(f"the table has no column {text_field}")
    for number, row in enumerate(table, start=1):
        yield Text(row.get(id_field) or str(number), row[text_field] or "")
