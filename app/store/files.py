"""Stored rows in files: JSON Lines, and a folder of Parquet files, one a table."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from app.errors import StoredRowError
from app.store.database import Database
from app.store.naming import digest_of
from app.store.transfer import TABLES, Row, export_rows

__all__ = ["read_rows", "write_jsonl", "write_parquet"]

_PORTION = 5_000
_ENCODED = (
    "claims",
    "civility",
    "stance_probabilities",
    "reasons",
    "labels",
    "spans",
    "languages",
    "context",
)
"""Columns that are JSON texts in Parquet, which knows no objects of any shape."""
_NUMBERS = ("relevance",)
_OLD = {"community_id": "community", "session_id": "session", "scores": "labels"}


def write_jsonl(database: Database, path: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Write everything that is stored, a row a line; the file appears once it is whole.

    Returns:
        How many rows there are.

    Raises:
        StoredRowError: the file cannot be written.
        StoreError: the database fails.
    """
    part = path.with_name(path.name + ".part")
    count = 0
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            for table in TABLES:
                for row in export_rows(database, table):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                    count += 1
                    progress(count)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StoredRowError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return count


def write_parquet(database: Database, folder: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Write everything that is stored into a new folder, a file a table.

    Returns:
        How many rows there are.

    Raises:
        StoredRowError: pyarrow is not installed, the folder exists or cannot be written.
        StoreError: the database fails.
    """
    arrow, parquet = _parquet()
    part = folder.with_name(folder.name + ".part")
    if folder.exists():
        raise StoredRowError(f"{folder} exists; export into a new folder")
    count = 0
    try:
        part.mkdir(mode=0o700, exist_ok=True)
        for table, (_, shape, _) in TABLES.items():
            fields = [
                (name, arrow.float64() if name in _NUMBERS else arrow.string()) for name in shape.model_fields
            ]
            schema = arrow.schema(fields)
            with parquet.ParquetWriter(part / f"{table}.parquet", schema, compression="zstd") as writer:
                for rows in _portions(export_rows(database, table)):
                    writer.write_table(arrow.Table.from_pylist([_flat(row) for row in rows], schema=schema))
                    count += len(rows)
                    progress(count)
        part.rename(folder)
    except OSError as error:
        raise StoredRowError(f"{folder} cannot be written: {error.strerror or error}") from None
    return count


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a JSON Lines file, of a folder of Parquet files, or of an old feedback file.

    The feedback files of versions before the store had JSON Lines without `table`; a last line that a crash
    cut short there was never acknowledged, and is left out.

    Raises:
        StoredRowError: it is none of these.
    """
    try:
        if path.is_dir():
            yield from _read_parquet(path)
        else:
            yield from _read_jsonl(path)
    except OSError as error:
        raise StoredRowError(f"{path} cannot be read: {error.strerror or error}") from None


def _read_jsonl(path: Path) -> Iterator[Row]:
    seen: Counter[bytes] = Counter()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                if seen:  # an old feedback file: what was cut short was never acknowledged
                    continue
                raise StoredRowError(f"{path.name}, line {number}: not JSON") from None
            if not isinstance(row, dict):
                raise StoredRowError(f"{path.name}, line {number}: not an object")
            if "table" not in row:
                seen[line.strip()] += 1
                row = _from_old(row, line.strip(), seen[line.strip()])
            yield row


def _from_old(row: Row, line: bytes, times: int) -> Row:
    # The same line names the same opinion, so that the file can be imported again when it has grown.
    named = {_OLD.get(name, name): value for name, value in row.items()}
    named["uid"] = hashlib.sha256(line + b" %d" % times).hexdigest()
    named["digest"] = digest_of(str(row.get("text")))
    return {"table": "feedback"} | named


def _read_parquet(folder: Path) -> Iterator[Row]:
    _, parquet = _parquet()
    files = [
        (table, folder / f"{table}.parquet") for table in TABLES if (folder / f"{table}.parquet").exists()
    ]
    if not files:
        raise StoredRowError(f"{folder} holds none of {', '.join(f'{table}.parquet' for table in TABLES)}")
    for table, path in files:
        try:
            for batch in parquet.ParquetFile(path).iter_batches(_PORTION):
                for row in batch.to_pylist():
                    yield {"table": table} | _unflat(row)
        except ValueError as error:  # pyarrow's own errors are of this kind
            raise StoredRowError(f"{path.name} is not as an export writes it: {error}") from None


def _flat(row: Row) -> Row:
    return {
        name: json.dumps(value, ensure_ascii=False) if name in _ENCODED and value is not None else value
        for name, value in row.items()
        if name != "table"
    }


def _unflat(row: Row) -> Row:
    return {
        name: json.loads(value) if name in _ENCODED and isinstance(value, str) else value
        for name, value in row.items()
    }


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    portion: list[Row] = []
    for row in rows:
        portion.append(row)
        if len(portion) >= _PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def _parquet() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise StoredRowError("Parquet needs pyarrow: pip install 'counterpoint[parquet]'") from None
    return pyarrow, pyarrow.parquet
