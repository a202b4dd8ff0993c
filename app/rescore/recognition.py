"""What an input is: told by its first bytes, and by its name only where these could be anything."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

from pydantic_core import from_json

from app.rescore.errors import ArchiveError
from app.rescore.files import filesystem, is_remote, open_address, reaching

__all__ = [
    "LISTS",
    "STDIN",
    "Compression",
    "Format",
    "Found",
    "decompressed",
    "find_inputs",
    "read_block",
    "recognise",
]

STDIN = "-"

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "wordpress", "disqus", "coral"]
Compression = Literal["gzip", "zstd"]

_HEAD = 65_536
_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".xml")
_PACKED = (".gz", ".zst", ".zstd")
_CORAL = {"revisions", "storyID", "tenantID"}

LISTS = ("comments", "rows", "items", "data", "results", "nodes")
"""What the list of comments in a JSON document may be called."""


@dataclass(frozen=True, slots=True)
class Found:
    """One input file, recognised."""

    name: str
    address: str
    format: Format
    compression: Compression | None


def find_inputs(given: str) -> list[str]:
    """Return the addresses that an INPUT stands for: a file, those in a folder, those that match a pattern.

    Raises:
        ArchiveError: there are none.
    """
    if given == STDIN:
        return [given]
    if is_remote(given):
        return _find_remote(given)
    path = Path(given)
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file() and _is_named_as_input(file.name)]
    elif path.exists():
        found = [path]
    else:
        found = [
            file for file in Path(path.anchor or ".").glob(given.removeprefix(path.anchor)) if file.is_file()
        ]
    if not found:
        raise ArchiveError(
            f"{given}: there is no such file, and none in it whose name ends with {_endings()}"
        )
    return [str(file) for file in sorted(found)]


def _find_remote(given: str) -> list[str]:
    files, path = filesystem(given)
    with reaching(given):
        if any(char in path for char in "*?["):
            found = [name for name in files.glob(path) if not files.isdir(name)]
        elif files.isdir(path):
            found = [name for name in files.find(path) if _is_named_as_input(name)]
        else:
            found = [path] if files.exists(path) else []
    if not found:
        raise ArchiveError(
            f"{given}: there is no such file, and none in it whose name ends with {_endings()}"
        )
    return [files.unstrip_protocol(name) for name in sorted(found)]


def recognise(address: str, name: str, given: Format | None) -> Found:
    """Say what a file is.

    Args:
        address: what to open.
        name: how messages call it; its ending counts where the content could be several things.
        given: the format that the user names.

    Raises:
        ArchiveError: it cannot be read, is empty, or is XML of an unknown kind.
    """
    with open_address(address) as file:
        head = file.read(_HEAD)
    packed: Compression | None = (
        "gzip" if head.startswith(b"\x1f\x8b") else "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") else None
    )
    if packed is not None:
        with open_address(address) as file, decompressed(file, packed, name) as plain:
            head = read_block(plain, _HEAD, name)
    if not head.strip():
        raise ArchiveError(f"{name} is empty")
    return Found(name, address, given or _format_of(head, name), packed)


def decompressed(file: IO[bytes], compression: Compression | None, name: str) -> IO[bytes]:
    """Return what reads a file decompressed.

    Raises:
        ArchiveError: what decompresses it is not installed; damage is told when it is met.
    """
    if compression is None:
        return file
    if compression == "gzip":
        import gzip

        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    try:
        import zstandard
    except ImportError:
        raise ArchiveError(f"{name} needs pip install 'counterpoint[archive]'") from None
    return cast(IO[bytes], zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))


def read_block(file: IO[bytes], size: int, name: str) -> bytes:
    """Read a piece of a file that may be damaged.

    Raises:
        ArchiveError: it is.
    """
    try:
        return file.read(size)
    except Exception as error:  # each decompressor has errors of its own
        raise ArchiveError(f"{name} is damaged: {error}") from None


def _format_of(head: bytes, name: str) -> Format:
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return _kind_of_xml(text, name)
    if text.startswith(b"["):
        return _kind_of_document(text)
    if text.startswith(b"{"):
        return _kind_of_json(text, name)
    return "tsv" if _plain_name(name).endswith(".tsv") else "csv"


def _kind_of_xml(text: bytes, name: str) -> Format:
    if b"<disqus" in text:
        return "disqus"
    if b"wordpress.org/export" in text:
        return "wordpress"
    raise ArchiveError(f"{name} is XML, but neither a WordPress export nor one of Disqus")


def _kind_of_json(text: bytes, name: str) -> Format:
    """Lines of objects, or one object with a list in it, over one line or several."""
    first, _, rest = text.partition(b"\n")
    try:
        value = from_json(first)
    except ValueError:
        # A broken line, one longer than the head, or the beginning of an object over several lines.
        is_document = first.strip() == b"{" or _plain_name(name).endswith(".json")
        return _kind_of_document(text) if is_document else "jsonl"
    if not rest.strip() and any(isinstance(value.get(key), list) for key in LISTS):
        return _kind_of_document(text)
    return "coral" if value.keys() & _CORAL else "jsonl"


def _kind_of_document(text: bytes) -> Format:
    return "coral" if any(b'"%s"' % key.encode() in text for key in _CORAL) else "json"


def _is_named_as_input(name: str) -> bool:
    return not PurePosixPath(name).name.startswith((".", "_")) and _plain_name(name).endswith(_SUFFIXES)


def _plain_name(name: str) -> str:
    name = name.lower()
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return name


def _endings() -> str:
    return ", ".join(_SUFFIXES)
