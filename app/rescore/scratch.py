"""What is looked up while the input is converted, on the disk: texts of parents, titles of articles."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic_core import from_json, to_json

__all__ = ["ARTICLE", "PARENT_TEXT", "TITLE", "Record", "Texts", "completed"]

Record = dict[str, Any]
"""A comment, by the names of `app.rescore.columns.FIELDS` and any others."""

ARTICLE = "counterpoint:article"
"""Marks a record that is no comment but an article with `id` and `title`."""

PARENT_TEXT, TITLE = "counterpoint:parent_text", "counterpoint:title"
"""Where `completed` puts what it has looked up."""

_TEXTS = "CREATE TABLE texts (id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;"
_TABLES = f"""
    CREATE TABLE records (row INTEGER PRIMARY KEY, id TEXT, parent TEXT, article TEXT, record BLOB);
    {_TEXTS}
    CREATE TABLE titles (id TEXT PRIMARY KEY, title TEXT) WITHOUT ROWID;
"""
_JOINED = """
    SELECT record, texts.text, titles.title FROM records
    LEFT JOIN texts ON texts.id = records.parent LEFT JOIN titles ON titles.id = records.article
    ORDER BY row
"""


_QUICK = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"  # what is lost with the machine is made anew


def completed(records: Iterable[Record], scratch: Path) -> Iterator[Record]:
    """Yield the records in order, with the texts of their parents and the titles of their articles.

    Args:
        records: comments and articles, in any order; they are not held in memory.
        scratch: a file that may be written; it is removed at the end.
    """
    scratch.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(scratch)) as database:
            database.executescript(f"{_QUICK} {_TABLES}")
            _fill(database, records)
            for record, text, title in database.execute(_JOINED):
                yield from_json(record) | _known(**{PARENT_TEXT: text, TITLE: title})
    finally:
        scratch.unlink(missing_ok=True)


class Texts:
    """Comments by their ids, on the disk; a context manager that leaves nothing behind.

    Args:
        scratch: a file that may be written.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def __enter__(self) -> Self:
        """Begin without any."""
        self._scratch.unlink(missing_ok=True)
        self._database = sqlite3.connect(self._scratch)
        self._database.executescript(
            f"{_QUICK} CREATE TABLE texts (id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID"
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the file."""
        self._database.close()
        self._scratch.unlink(missing_ok=True)

    def add(self, comments: Iterable[tuple[object, object]]) -> None:
        """Take ids and texts; of an id that comes again the first text stays."""
        known = ((_key(id), _key(text)) for id, text in comments)
        filled = ((id, text) for id, text in known if id and text)
        self._database.executemany("INSERT OR IGNORE INTO texts VALUES (?, ?)", filled)

    def of(self, id: object) -> str | None:
        """Return the text of a comment, None where it is not known."""
        found = self._database.execute("SELECT text FROM texts WHERE id = ?", (_key(id),)).fetchone()
        return None if found is None else found[0]


def _fill(database: sqlite3.Connection, records: Iterable[Record]) -> None:
    for record in records:
        if ARTICLE in record:
            database.execute("INSERT OR IGNORE INTO titles VALUES (?, ?)", (record["id"], record["title"]))
            continue
        id, text, parent, article = (_key(record.get(name)) for name in ("id", "text", "parent", "article"))
        row = id, parent, article, to_json(record)
        database.execute("INSERT INTO records (id, parent, article, record) VALUES (?, ?, ?, ?)", row)
        if id and text:
            database.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (id, text))


def _key(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _known(**values: str | None) -> Record:
    return {name: value for name, value in values.items() if value}
