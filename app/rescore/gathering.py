"""Everything that parts are not cut from at once, brought into files that they are: unpacked or converted."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from app.rescore.exports import read_coral, read_disqus, read_json_document, read_wordpress
from app.rescore.files import is_remote, open_address, stamp_of, whole_file
from app.rescore.job import Kind, Mapping, Source
from app.rescore.planning import describe_source, kept_columns
from app.rescore.reading import getter, read_records
from app.rescore.recognition import STDIN, Format, Found, decompressed, find_inputs, read_block, recognise
from app.rescore.scratch import PARENT_TEXT, TITLE, Record, Texts, completed
from app.rescore.sql import read_query, shown_url

__all__ = ["Gathered", "Order", "gather"]

_BLOCK = 1 << 20
_ROWS_A_REPORT = 1_000
_FROM_THE_BEGINNING = ("http://", "https://")  # many servers give no part of a file alone
_HEAD_BYTES, _HEAD_ROWS = 4_000_000, 1_000
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
    size: int
    """Bytes of all of them."""
    stdin: str | None
    """The sha256 of standard input, where that was read."""

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns that no field is read from."""
        return kept_columns(list(self.sources))


def gather(order: Order, folder: Path, report: Report, *, head: bool = False) -> Gathered:
    """Bring the input into files of JSON lines, CSV or Parquet that can be read from anywhere.

    Args:
        order: what to read.
        folder: where unpacked and converted files go; what is in it is thrown away.
        report: told how much is written.
        head: whether the beginning of what has to be unpacked or converted is enough.

    Raises:
        ArchiveError: there is nothing, it cannot be read, or is not recognised.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    gatherer = _Gatherer(order, folder, report, head)
    addresses = ["the query"] if order.sql is not None else find_inputs(str(order.given))
    sources = tuple(gatherer.source(address) for address in addresses)
    if order.threads and not head:
        sources = gatherer.with_parents(sources)
    size = sum(int(stamp_of(source.address)[0] or 0) for source in sources)
    return Gathered(sources, size, gatherer.stdin)


class _Gatherer:
    def __init__(self, order: Order, folder: Path, report: Report, head: bool) -> None:
        self._order, self._folder, self._report = order, folder, report
        self._most_bytes = _HEAD_BYTES if head else None
        self._most_rows = _HEAD_ROWS if head else None
        self._files = 0
        self.stdin: str | None = None

    def source(self, address: str) -> Source:
        if self._order.sql is not None:
            rows = read_query(self._order.sql, self._order.query or "")
            return self._described(address, self._written(rows, address), "jsonl")
        name = address
        if address == STDIN:
            name, address = "standard input", self._stdin()
        found = recognise(address, name, self._order.format)
        if found.compression is not None or address.startswith(_FROM_THE_BEGINNING):
            address = self._unpacked(found)
        if found.format == "json":
            return self._described(name, self._written(read_json_document(address, name), name), "jsonl")
        if found.format in _EXPORTS:
            records = islice(_EXPORTS[found.format](address, name), self._most_rows)
            lines = self._written(completed(records, self._file("sqlite3")), name)
            return Source(
                name=name, address=lines, kind="jsonl", mapping=_OF_EXPORTS, columns=_KEPT_OF_EXPORTS
            )
        if not is_remote(address):
            address = str(Path(address).resolve())
        return self._described(name, address, _KINDS[found.format], tab=found.format == "tsv")

    def _described(self, name: str, address: str, kind: Kind, *, tab: bool = False) -> Source:
        return describe_source(name, address, kind, self._order.columns, tab=tab)

    def with_parents(self, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        """Return the sources with the texts of parents where only their ids are known, whichever has them."""
        if not any(map(_lacks_parents, sources)):
            return sources
        with Texts(self._file("sqlite3")) as texts:
            for source in sources:
                if source.mapping.id is not None:
                    id, text = getter(source.mapping.id), getter(source.mapping.text)
                    texts.add((id(record), text(record)) for record in self._read(source, "looking up"))
            return tuple(self._completed(one, texts) if _lacks_parents(one) else one for one in sources)

    def _completed(self, source: Source, texts: Texts) -> Source:
        parent = getter(str(source.mapping.parent))
        records = (
            {**record, PARENT_TEXT: text} if (text := texts.of(parent(record))) else record
            for record in read_records(source)
        )
        return source.model_copy(
            update={
                "address": self._written(records, source.name),
                "kind": "jsonl",
                "mapping": source.mapping.model_copy(update={"parent_text": PARENT_TEXT}),
            }
        )

    def _read(self, source: Source, stage: str) -> Iterator[Record]:
        for count, record in enumerate(read_records(source), start=1):
            yield record
            if count % _ROWS_A_REPORT == 0:
                self._report(f"{stage} {source.name}", count, None)

    def _stdin(self) -> str:
        target = self._file("stdin")
        digest = hashlib.sha256()
        with whole_file(target) as file:
            self._copy(sys.stdin.buffer, file, "standard input", digest.update)
        self.stdin = digest.hexdigest()
        return str(target)

    def _unpacked(self, found: Found) -> str:
        target = self._file("plain")
        with (
            whole_file(target) as plain,
            open_address(found.address) as file,
            decompressed(file, found.compression, found.name) as packed,
        ):
            self._copy(packed, plain, found.name)
        return str(target)

    def _copy(
        self,
        source: IO[bytes],
        target: IO[bytes],
        name: str,
        watch: Callable[[bytes], None] = lambda block: None,
    ) -> None:
        done = 0
        while (self._most_bytes is None or done < self._most_bytes) and (
            block := read_block(source, _BLOCK, name)
        ):
            target.write(block)
            watch(block)
            done += len(block)
            self._report(f"reading {name}", done, None)

    def _written(self, records: Iterable[Record], name: str) -> str:
        target = self._file("jsonl")
        with whole_file(target) as file:
            for count, record in enumerate(islice(records, self._most_rows), start=1):
                file.write(to_json(record, inf_nan_mode="constants") + b"\n")
                if count % _ROWS_A_REPORT == 0:
                    self._report(f"converting {name}", count, None)
        return str(target)

    def _file(self, ending: str) -> Path:
        self._files += 1
        return self._folder.resolve() / f"{self._files:06d}.{ending}"


def _lacks_parents(source: Source) -> bool:
    return source.mapping.parent is not None and source.mapping.parent_text is None
