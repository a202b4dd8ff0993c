"""Opening what lies here or anywhere fsspec reaches, and writing so that a file is whole or absent."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from app.rescore.errors import ArchiveError, OutputError, RescoreError

__all__ = [
    "digest_of",
    "filesystem",
    "is_remote",
    "open_address",
    "reaching",
    "stamp_of",
    "sync_folder",
    "whole_file",
]

_BLOCK = 1 << 20
_REMOTE_BLOCK = 4 << 20


def is_remote(address: str) -> bool:
    """Tell whether an address is one of fsspec's, such as `s3://bucket/key`."""
    return "://" in address


def filesystem(address: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the path on it.

    Raises:
        ArchiveError: what reaches it is not installed, or does not know the address.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise ArchiveError(f"{address} needs pip install 'counterpoint[archive]'") from None
    try:
        found, path = url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise ArchiveError(f"{address} cannot be reached: {error}") from None
    return found, path


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn what may go wrong on the way to an address into an error that names it.

    Raises:
        ArchiveError: it cannot be reached or read.
    """
    try:
        yield
    except RescoreError:
        raise
    except OSError as error:
        raise ArchiveError(f"{address} cannot be read: {error.strerror or error}") from None
    except Exception as error:
        if not is_remote(address):
            raise
        # Each file system has errors of its own, such as those of credentials.
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ArchiveError(f"{address} cannot be reached: {reason}") from error


def open_address(address: str) -> IO[bytes]:
    """Open for reading.

    Raises:
        ArchiveError: it cannot be opened.
    """
    with reaching(address):
        if not is_remote(address):
            return open(address, "rb")
        found, path = filesystem(address)
        # Some would read 50 MB ahead, for a part of 4 MB.
        opened: IO[bytes] = found.open(path, "rb", block_size=_REMOTE_BLOCK)
        return opened


def stamp_of(address: str) -> list[Any]:
    """Return what changes when a file changes: size and time, or what the file system knows instead."""
    with reaching(address):
        if not is_remote(address):
            stat = os.stat(address)
            return [stat.st_size, stat.st_mtime_ns]
        found, path = filesystem(address)
        info = found.info(path)
    return [info.get("size"), *(str(info[key]) for key in ("ETag", "mtime", "LastModified") if key in info)]


def digest_of(address: str) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open_address(address) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears whole, on the disk, or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        try:
            with scratch.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, path)
            sync_folder(path.parent)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}; the same command goes on from here"
        ) from error


def sync_folder(folder: Path) -> None:
    """See that the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
