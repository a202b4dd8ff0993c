"""Parquet by pyarrow, which the extra `archive` brings."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from app.rescore.errors import ArchiveError
from app.rescore.table import COLUMNS

__all__ = ["ParquetWriter", "groups_of", "read_dicts", "read_file", "read_group", "schema_of"]

_BATCH_ROWS = 1024
_GROUP_ROWS = 16_384


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ArchiveError("Parquet needs pip install 'counterpoint[archive]'") from None
    return pyarrow, pyarrow.parquet


def _open(file: IO[bytes], name: str) -> Any:
    arrow, parquet = _pyarrow()
    try:
        return parquet.ParquetFile(file)
    except (arrow.ArrowException, OSError) as error:
        raise ArchiveError(f"{name} is no Parquet file: {str(error).splitlines()[0]}") from None


def groups_of(file: IO[bytes], name: str) -> list[int]:
    """Return how many rows each row group has."""
    metadata = _open(file, name).metadata
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def schema_of(file: IO[bytes], name: str) -> list[str]:
    """Return the names of the columns."""
    return list(_open(file, name).schema_arrow.names)


def read_group(file: IO[bytes], group: int, begin: int, end: int) -> Iterator[dict[str, Any]]:
    """Yield the rows `begin` to `end` (exclusive) of a row group, a batch in memory at a time."""
    at = 0
    for batch in _open(file, "the input").iter_batches(
        batch_size=_BATCH_ROWS, row_groups=[group], use_threads=False
    ):
        if at + batch.num_rows > begin:
            first, last = max(0, begin - at), min(batch.num_rows, end - at)
            yield from batch.slice(first, last - first).to_pylist()
        at += batch.num_rows
        if at >= end:
            return


def read_file(path: Path) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a file that `ParquetWriter` wrote."""
    with path.open("rb") as file:
        for batch in _open(file, path.name).iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def read_dicts(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file by the names of its columns."""
    with path.open("rb") as file:
        for batch in _open(file, path.name).iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            yield from batch.to_pylist()


class ParquetWriter:
    """Rows → a Parquet file, a row group for each 16,384 of them."""

    def __init__(self, file: IO[bytes], columns: Sequence[str]) -> None:
        self._arrow, parquet = _pyarrow()
        kinds = {str: self._arrow.string(), float: self._arrow.float64()}
        self._schema = self._arrow.schema([(name, kinds[COLUMNS.get(name, str)]) for name in columns])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._held: list[Sequence[Any]] = []

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows; values of kept columns become text, JSON where they are not text."""
        self._held.extend(rows)
        while len(self._held) >= _GROUP_ROWS:
            self._flush(self._held[:_GROUP_ROWS])
            self._held = self._held[_GROUP_ROWS:]

    def close(self) -> None:
        """Write what is held, and the foot of the file."""
        if self._held:
            self._flush(self._held)
        self._writer.close()

    def _flush(self, rows: list[Sequence[Any]]) -> None:
        columns = list(zip(*rows, strict=True))
        arrays = [
            self._arrow.array(
                [_text(value) for value in values] if name not in COLUMNS else values,
                type=self._schema.field(name).type,
            )
            for name, values in zip(self._schema.names, columns, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else to_json(value, fallback=str).decode()
