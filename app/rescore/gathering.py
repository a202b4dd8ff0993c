"""Everything that parts are not cut from at once, brought into files that they are: unpacked or converted."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from app.rescore.errors import ArchiveError
from app.rescore.exports import read_coral, read_disqus, read_json_document, read_wordpress
from app.rescore.files import is_remote, open_address, stamp_of, whole_file
from app.rescore.job import Kind, Mapping, Source
from app.rescore.planning import describe_source, kept_columns
from app.rescore.reading import read_records
from app.rescore.recognition import STDIN, Format, Found, decompressed, find_inputs, recognise
from app.rescore.scratch import PARENT_TEXT, TITLE, Record, completed
from app.rescore.sql import read_query, shown_url

__all__ = ["Gathered", "Order", "gather"]

_BLOCK = 1 << 20
_ROWS_A_REPORT = 1_000
_EXPORTS: dict[str, Callable[[str, str], Iterator[Record]]] = {
    "wordpress": read_wordpress,
    "disqus": read_disqus,
    "coral": read_coral,
}
_OF_EXPORTS = Mapping(
    text="text", id="id", article="article", title=TITLE, parent="parent", parent_text=PARENT_TEXT
)
_KEPT_OF_EXPORTS = ("author", "date", "url", "status")
_KINDS: dict[str, Kind] = {"jsonl": "jsonl", "csv": "csv", "tsv": "csv", "parquet": "parquet"}

Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What to read: an input or a query."""

    given: str | None
    """A path, a pattern, an address of fsspec, or - for standard input."""
    columns: dict[str, str | None] = field(default_factory=dict)
    """Field → the column that the user names."""
    format: Format | None = None
    sql: str | None = field(default=None, repr=False)
    """URL of a database."""
    query: str | None = None
    threads: bool = True
    """Whether the text of a parent is looked up where only its id is known."""

    def asked(self) -> dict[str, Any]:
        """Return what the rows depend on."""
        return {
            "INPUT": self.given,
            "--format": self.format,
            "--sql": None if self.sql is None else shown_url(self.sql),
            "--query": self.query,
            "columns": {field: column for field, column in self.columns.items() if column},
        }

    def stamps(self) -> dict[str, list[Any]]:
        """Return what would be different if a file had changed."""
        if self.given in {None, STDIN}:
            return {}
        return {address: stamp_of(address) for address in find_inputs(str(self.given))}


@dataclass(frozen=True, slots=True)
class Gathered:
    """Files that parts can be cut from."""

    sources: tuple[Source, ...]
    size: int | None
    """Bytes of all of them, None where it is unknown."""

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns that no field is read from."""
        return kept_columns(list(self.sources))


def gather(order: Order, folder: Path, report: Report) -> Gathered:
    """Bring the input into files of JSON lines, CSV or Parquet that can be read from anywhere.

    Args:
        order: what to read.
        folder: where unpacked and converted files go; what is in it is thrown away.
        report: told how many bytes are written.

    Raises:
        ArchiveError: there is nothing, it cannot be read, or is not recognised.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    addresses = ["the query"] if order.sql is not None else find_inputs(str(order.given))
    sources = []
    for place, address in enumerate(addresses):
        source = _source(order, address, folder / f"{place:06d}", report)
        sources.append(
            _with_parents(source, folder / f"{place:06d}.threads", report) if order.threads else source
        )
    return Gathered(tuple(sources), sum(int(stamp_of(source.address)[0] or 0) for source in sources))


def _source(order: Order, address: str, scratch: Path, report: Report) -> Source:
    if order.sql is not None:
        rows = read_query(order.sql, order.query or "")
        return _describe(order, address, _written(rows, scratch, address, report), "jsonl")
    name = "standard input" if address == STDIN else address
    if address == STDIN:
        with whole_file(scratch) as file:
            _copy(sys.stdin.buffer, file, name, report)
        address = str(scratch.resolve())
    found = recognise(address, name, order.format)
    if found.compression is not None:
        address = str(_unpacked(found, scratch.with_suffix(".plain"), report))
    if found.format == "json":
        document = read_json_document(address, name)
        return _describe(
            order, name, _written(document, scratch.with_suffix(".lines"), name, report), "jsonl"
        )
    if found.format in _EXPORTS:
        records = completed(_EXPORTS[found.format](address, name), scratch.with_suffix(".sqlite3"))
        lines = _written(records, scratch.with_suffix(".lines"), name, report)
        return Source(name=name, address=lines, kind="jsonl", mapping=_OF_EXPORTS, columns=_KEPT_OF_EXPORTS)
    if not is_remote(address):
        address = str(Path(address).resolve())
    return _describe(order, name, address, _KINDS[found.format], tab=found.format == "tsv")


def _describe(order: Order, name: str, address: str, kind: Kind, *, tab: bool = False) -> Source:
    return describe_source(name, address, kind, order.columns, tab=tab)


def _with_parents(source: Source, scratch: Path, report: Report) -> Source:
    """The source with the texts of parents, where only their ids are known."""
    mapping = source.mapping
    if mapping.parent is None or mapping.id is None or mapping.parent_text is not None:
        return source
    names = (mapping.id, mapping.text, mapping.parent, mapping.article or "")
    records = completed(read_records(source), scratch.with_suffix(".sqlite3"), names)
    return source.model_copy(
        update={
            "address": _written(records, scratch, source.name, report),
            "kind": "jsonl",
            "mapping": mapping.model_copy(update={"parent_text": PARENT_TEXT}),
        }
    )


def _written(records: Iterable[Record], target: Path, name: str, report: Report) -> str:
    with whole_file(target) as file:
        for count, record in enumerate(records, start=1):
            file.write(to_json(record, inf_nan_mode="constants") + b"\n")
            if count % _ROWS_A_REPORT == 0:
                report(f"converting {name}", count, None)
    return str(target.resolve())


def _unpacked(found: Found, target: Path, report: Report) -> Path:
    with open_address(found.address) as file, whole_file(target) as plain:
        with decompressed(file, found.compression, found.name) as packed:
            _copy(packed, plain, found.name, report)
    return target.resolve()


def _copy(source: IO[bytes], target: IO[bytes], name: str, report: Report) -> None:
    done = 0
    while block := _read(source, name):
        target.write(block)
        done += len(block)
        report(f"reading {name}", done, None)


def _read(source: IO[bytes], name: str) -> bytes:
    try:
        return source.read(_BLOCK)
    except Exception as error:  # each decompressor has errors of its own
        raise ArchiveError(f"{name} is damaged: {error}") from None
