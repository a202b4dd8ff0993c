"""From a file or a stream to text: bounded, and in the right encoding."""

import codecs
import re
from pathlib import Path
from typing import IO, NoReturn

from bs4.dammit import EncodingDetector

from app.threads.errors import ThreadEncodingError, ThreadReadError, ThreadTooLargeError

__all__ = ["MAX_BYTES", "as_text", "without_lone_surrogates"]

MAX_BYTES = 10 * 1024 * 1024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSETS_OF_PAGES = re.compile(
    r"utf-?8|us-ascii|(?:windows|cp)-?12\d\d|iso-?8859-\d+|latin-?\d+|koi8-[ru]|mac-?roman"
    r"|gb(?:k|2312|18030)|big5(?:-?hkscs)?|euc-(?:jp|kr)|shift[-_]jis|iso-2022-jp",
    re.IGNORECASE,
)
# Browsers read these as windows-1252, so that is what the pages were written with.
_REALLY_WINDOWS_1252 = re.compile(r"iso-?8859-1|latin-?1|us-ascii", re.IGNORECASE)
_TOLERATED_DAMAGE = 1 / 1000
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def as_text(source: Path | IO[bytes] | IO[str] | bytes | str) -> str:
    """Read all of `source`; a str is text already, not the name of a file.

    Raises:
        ThreadReadError: the file cannot be opened or read.
        ThreadTooLargeError: more than `MAX_BYTES` bytes (characters, in a stream of text).
        ThreadEncodingError: binary, or in no encoding that it declares or usually has.
    """
    try:
        content = _content(source)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ThreadReadError(f"{error.filename or 'the input'} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise ThreadEncodingError("the stream's text is not in the encoding it was opened with") from error
    if len(content) > MAX_BYTES:
        raise ThreadTooLargeError(f"the input is larger than {MAX_BYTES // 1024**2} MiB, the limit")
    text = content if isinstance(content, str) else _decoded(content)
    return without_lone_surrogates(text.removeprefix("\ufeff")).replace("\r\n", "\n").replace("\r", "\n")


def without_lone_surrogates(text: str) -> str:
    """`text` with halves of broken characters replaced by U+FFFD, so that it can be written anywhere."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def _content(source: Path | IO[bytes] | IO[str] | bytes | str) -> bytes | str:
    if isinstance(source, bytes | str):
        return source
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    return source.read(MAX_BYTES + 1)


def _decoded(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            if (text := _attempt(content[len(mark) :], encoding)) is None:
                _refuse(f"broken {encoding.upper()}")
            return text
    if b"\0" in content:
        _refuse("it contains zero bytes, as files do that are not text")
    declared = _declared(content)
    for encoding in filter(None, (declared, "utf-8")):
        if (text := _attempt(content, encoding)) is not None:
            return text
    if declared:
        repaired = content.decode(declared, errors="replace")
        if repaired.count("\ufffd") <= len(repaired) * _TOLERATED_DAMAGE:
            return repaired
    if (text := _attempt(content, "windows-1252")) is None:
        _refuse("it is neither UTF-8 nor what it declares")
    return text


def _declared(content: bytes) -> str | None:
    declared = EncodingDetector.find_declared_encoding(content, is_html=True)
    if not declared or not _CHARSETS_OF_PAGES.fullmatch(declared):
        return None
    try:
        codecs.lookup(declared)
    except LookupError:
        return None
    return "windows-1252" if _REALLY_WINDOWS_1252.fullmatch(declared) else declared


def _attempt(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _refuse(reason: str) -> NoReturn:
    raise ThreadEncodingError(f"the encoding is unreadable: {reason}")
