"""Everything that parts are not cut from at once, brought into files that they are: unpacked or converted."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from app.rescore.errors import ArchiveError
from app.rescore.files import open_address, stamp_of, whole_file
from app.rescore.job import Kind, Source
from app.rescore.planning import describe_source, kept_columns
from app.rescore.recognition import STDIN, Format, Found, decompressed, find_inputs, recognise

__all__ = ["Gathered", "Order", "gather"]

_BLOCK = 1 << 20
_KINDS: dict[str, Kind] = {"jsonl": "jsonl", "csv": "csv", "tsv": "csv", "parquet": "parquet"}

Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What to read."""

    given: str
    """A path, a pattern, an address of fsspec, or - for standard input."""
    columns: dict[str, str | None]
    """Field → the column that the user names."""
    format: Format | None = None

    def asked(self) -> dict[str, Any]:
        """Return what the rows depend on."""
        return {"INPUT": self.given, "--format": self.format, "columns": self.columns}

    def stamps(self) -> dict[str, list[Any]]:
        """Return what would be different if a file had changed."""
        if self.given == STDIN:
            return {}
        return {address: stamp_of(address) for address in find_inputs(self.given)}


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
    sources, size = [], 0
    for place, address in enumerate(find_inputs(order.given)):
        source = _source(order, address, folder / f"{place:06d}", report)
        sources.append(source)
        size += int(stamp_of(source.address)[0] or 0)
    return Gathered(tuple(sources), size)


def _source(order: Order, address: str, scratch: Path, report: Report) -> Source:
    name = "standard input" if address == STDIN else address
    if address == STDIN:
        with whole_file(scratch) as file:
            _copy(sys.stdin.buffer, file, name, report)
        address = str(scratch)
    found = recognise(address, name, order.format)
    if found.compression is not None:
        address = str(_unpacked(found, scratch.with_suffix(".plain"), report))
    kind = _KINDS.get(found.format)
    if kind is None:
        raise ArchiveError(f"{name}: {found.format} is not read yet")
    return describe_source(name, address, kind, order.columns, tab=found.format == "tsv")


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
