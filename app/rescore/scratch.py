"""What is looked up while an export is converted, on the disk: texts of parents, titles of articles."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

__all__ = ["ARTICLE", "PARENT_TEXT", "TITLE", "Record", "completed"]

Record = dict[str, Any]
"""A comment, by the names of `app.rescore.columns.FIELDS` and any others."""

ARTICLE = "counterpoint:article"
"""Marks a record that is no comment but an article with `id` and `title`."""

PARENT_TEXT, TITLE = "counterpoint:parent_text", "counterpoint:title"
"""Where `completed` puts what it has looked up."""

_TABLES = """
    CREATE TABLE records (row INTEGER PRIMARY KEY, id TEXT, parent TEXT, article TEXT, record BLOB);
    CREATE TABLE texts (id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
    CREATE TABLE titles (id TEXT PRIMARY KEY, title TEXT) WITHOUT ROWID;
"""
_JOINED = """
    SELECT record, texts.text, titles.title FROM records
    LEFT JOIN texts ON texts.id = records.parent LEFT JOIN titles ON titles.id = records.article
    ORDER BY row
"""


def completed(
    records: Iterable[Record],
    scratch: Path,
    names: tuple[str, str, str, str] = ("id", "text", "parent", "article"),
) -> Iterator[Record]:
    """Yield the records in order, with the texts of their parents and the titles of their articles.

    Args:
        records: comments and articles, in any order; they are not held in memory.
        scratch: a file that may be written; it is removed at the end.
        names: where a record has its id, its text, its parent's id and its article's.
    """
    scratch.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(scratch)) as database:
            database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_TABLES}")
            _fill(database, records, names)
            for record, text, title in database.execute(_JOINED):
                yield from_json(record) | _known(**{PARENT_TEXT: text, TITLE: title})
    finally:
        scratch.unlink(missing_ok=True)


def _fill(database: sqlite3.Connection, records: Iterable[Record], names: tuple[str, str, str, str]) -> None:
    for record in records:
        if ARTICLE in record:
            database.execute("INSERT OR IGNORE INTO titles VALUES (?, ?)", (record["id"], record["title"]))
            continue
        id, text, parent, article = (_key(record.get(name)) for name in names)
        row = id, parent, article, to_json(record)
        database.execute("INSERT INTO records (id, parent, article, record) VALUES (?, ?, ?, ?)", row)
        if id and text:
            database.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (id, text))


def _key(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _known(**values: str | None) -> Record:
    return {name: value for name, value in values.items() if value}
