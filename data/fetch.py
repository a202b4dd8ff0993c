"""Fetching a file: resumed where it broke off, checked before it gets its name, never half-written."""

import os
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import httpx

from data.catalog import CatalogFile, Dataset
from data.errors import (
    DownloadError,
    NoPublicSourceError,
    NotServedError,
    TruncatedError,
    UnsafePathError,
    WrongDigestError,
)
from data.verify import digest_of, file_state

__all__ = ["Progress", "address_of", "fetch_file", "new_client"]

Progress = Callable[[int], None]
"""Is called with the number of bytes of the file that are here so far."""

_TRIES = 4
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}


class _BrokenOffError(Exception):
    """This try ended early; another may get further."""


def new_client() -> httpx.Client:
    """Return a client that follows redirections and gives up a silent server after 30 s."""
    # A compressed answer would have a length and offsets that are not the file's.
    headers = {"Accept-Encoding": "identity", "User-Agent": "counterpoint-data"}
    return httpx.Client(follow_redirects=True, timeout=30.0, headers=headers)


def address_of(dataset: Dataset, file: CatalogFile, mirror: str | None = None) -> str:
    """Return where to fetch a file: below the mirror, or from its public source.

    Raises:
        NoPublicSourceError: no mirror is given, and no public address serves these bytes.
    """
    if mirror:
        return f"{mirror.rstrip('/')}/{quote(dataset.name)}/{quote(file.name)}"
    if file.url:
        return file.url
    reason = "the catalog's `derived` tells how it differs" if dataset.derived else "none was established"
    raise NoPublicSourceError(
        f"{dataset.name}/{file.name} has no public address that serves these bytes ({reason})."
        " Name a server that has the data folder with --mirror."
    )


def fetch_file(
    client: httpx.Client,
    url: str,
    data_dir: Path,
    dataset: Dataset,
    file: CatalogFile,
    progress: Progress = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch one file into the data folder, unless the right one is there already.

    What arrives is kept as `NAME.part`, and the next try or call goes on from there; the file gets
    its name only when size and digest are right. Tries that bring nothing new are bounded, with
    growing pauses (seconds) between them.

    Raises:
        UnsafePathError: the file would land outside the data folder.
        NotServedError: the server does not have it.
        TruncatedError: it breaks off again and again; the part is kept.
        WrongDigestError: it is not the catalog's file; the part is removed.
        DownloadError: the server refuses, or cannot be reached.
    """
    target = _safe_target(data_dir, dataset, file)
    try:
        if file_state(target, file) == "present":
            progress(file.bytes)
        else:
            _fetch_into(target, client, url, file, progress, pause)
    except OSError as fault:
        raise DownloadError(f"{target} cannot be written ({fault.strerror or fault}).") from fault


def _fetch_into(
    target: Path,
    client: httpx.Client,
    url: str,
    file: CatalogFile,
    progress: Progress,
    pause: Callable[[float], None],
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    resumed = part.exists() and part.stat().st_size > 0
    _download(client, url, part, file, progress, pause)
    if resumed and not _is_right(part, file):
        # The part may have been of another version: one clean try, before the server is blamed.
        _forget(part)
        _download(client, url, part, file, progress, pause)
    if not _is_right(part, file):
        size = part.stat().st_size
        _forget(part)
        raise WrongDigestError(
            f"{url} is not the file that the catalog describes: {size:,} bytes came where {file.bytes:,} with"
            f" SHA-256 {file.sha256[:12]}… were expected; what came was removed."
        )
    os.replace(part, target)
    _forget(part)


def _safe_target(data_dir: Path, dataset: Dataset, file: CatalogFile) -> Path:
    target = data_dir / dataset.name / file.name
    if not target.resolve().is_relative_to(data_dir.resolve()):
        raise UnsafePathError(f"{dataset.name}/{file.name} would be written outside {data_dir}")
    return target


def _is_right(part: Path, file: CatalogFile) -> bool:
    return part.stat().st_size == file.bytes and digest_of(part) == file.sha256


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_file(part).unlink(missing_ok=True)


def _tag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _download(
    client: httpx.Client,
    url: str,
    part: Path,
    file: CatalogFile,
    progress: Progress,
    pause: Callable[[float], None],
) -> None:
    furthest, fruitless = -1, 0
    while True:
        try:
            return _one_try(client, url, part, file, progress)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as fault:
            raise DownloadError(f"{url} cannot be fetched ({_reason(fault)}).") from fault
        except (_BrokenOffError, httpx.TransportError) as fault:
            here = part.stat().st_size if part.exists() else 0
            fruitless = 1 if here > furthest else fruitless + 1
            furthest = max(furthest, here)
            if fruitless < _TRIES:
                pause(min(_FIRST_PAUSE * 2 ** (fruitless - 1), _LONGEST_PAUSE))
            elif here:
                raise TruncatedError(
                    f"{url} broke off after {here:,} of {file.bytes:,} bytes, {_TRIES} times;"
                    f" what came is kept in {part.name}, and the next fetch goes on from there."
                ) from fault
            else:
                raise DownloadError(
                    f"{url} cannot be fetched ({_reason(fault)}), tried {_TRIES} times."
                ) from fault


def _reason(fault: Exception) -> str:
    return str(fault).strip() or type(fault).__name__


def _one_try(client: httpx.Client, url: str, part: Path, file: CatalogFile, progress: Progress) -> None:
    here = part.stat().st_size if part.exists() else 0
    if here >= file.bytes > 0:
        return
    tag_file = _tag_file(part)
    headers = {"Range": f"bytes={here}-"} if here else {}
    if here and tag_file.exists():
        headers["If-Range"] = tag_file.read_text(encoding="ascii")
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            _forget(part)
            raise _BrokenOffError("the server cannot resume there")
        _refuse_failure(response, url)
        goes_on = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if goes_on and not response.headers.get("Content-Range", "").startswith(f"bytes {here}-"):
            _forget(part)
            raise _BrokenOffError("the server resumed in another place")
        tag = response.headers.get("ETag", "")
        if tag.isascii() and tag.startswith('"'):  # a weak tag may not be used with If-Range
            tag_file.write_text(tag, encoding="ascii")
        elif not goes_on:
            tag_file.unlink(missing_ok=True)
        _write(response, part, "ab" if goes_on else "wb", file, progress)


def _refuse_failure(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise NotServedError(f"{url} does not exist on the server (status {status}).")
    if status in _TRANSIENT:
        raise _BrokenOffError(f"status {status}")
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise DownloadError(f"{url} was refused by the server (status {status}).")


def _write(response: httpx.Response, part: Path, mode: str, file: CatalogFile, progress: Progress) -> None:
    with part.open(mode) as out:
        size = out.tell()
        progress(size)
        for chunk in response.iter_bytes():
            out.write(chunk)
            size += len(chunk)
            progress(min(size, file.bytes))
            if size > file.bytes:  # not our file: no need to fill the disk with it
                break
        tells_its_end = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
        if size < file.bytes and not tells_its_end:  # only then httpx cannot tell that it broke off
            raise _BrokenOffError("the server closed the connection")
        out.flush()
        os.fsync(out.fileno())
