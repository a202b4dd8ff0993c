"""XML from outside, as a stream of elements: flat memory, no entities, no document type."""

import re
import xml.sax
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.sax.handler import ContentHandler

from app.rescore.errors import ArchiveError
from app.rescore.lines import MAX_LINE_BYTES

__all__ = ["INVALID", "Element", "read_elements"]

INVALID = "\ue001"
"""Stands for bytes that are not UTF-8."""

_BLOCK = 1 << 18
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")
_FORBIDDEN = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_TO_SPACE = bytes.maketrans(_FORBIDDEN, b" " * len(_FORBIDDEN))


@dataclass(slots=True)
class Element:
    """An element that was asked for: the texts of its children by their names, `name@attribute` as well."""

    path: str
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    above: "Element | None" = None


def read_elements(file: IO[bytes], name: str, paths: frozenset[str]) -> Iterator[Element]:
    """Yield each element at one of the paths as soon as it ends, such as `rss/channel/item`.

    Control characters, which XML forbids and exports hold all the same, are read as spaces.

    Raises:
        ArchiveError: it is not XML, or has a document type or entities of its own.
    """
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.expatreader import create_parser
    except ImportError:
        raise ArchiveError(f"{name}: XML needs pip install 'counterpoint[archive]'") from None
    handler = _Handler(paths)
    parser = create_parser(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    parser.setContentHandler(handler)
    handler.setDocumentLocator(parser)  # which only `parse` would do
    try:
        for block in _clean(file):
            parser.feed(block)
            yield from handler.take()
        parser.close()
    except DefusedXmlException as error:
        raise ArchiveError(
            f"{name} has a document type or entities of its own: {type(error).__name__}"
        ) from None
    except xml.sax.SAXParseException as error:
        raise ArchiveError(
            f"{name} is broken XML in line {error.getLineNumber()}: {error.getMessage()}"
        ) from None
    yield from handler.take()


def _clean(file: IO[bytes]) -> Iterator[bytes]:
    import codecs

    block = file.read(_BLOCK)
    declared = _ENCODING.search(block[:200])
    if declared and declared[1].lower() not in {b"utf-8", b"utf8", b"us-ascii"}:
        while block:
            yield block
            block = file.read(_BLOCK)
        return
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while block:
        text = decoder.decode(block.translate(_TO_SPACE))
        yield re.sub("[\udc80-\udcff]+", INVALID, text).encode()
        block = file.read(_BLOCK)
    yield re.sub("[\udc80-\udcff]+", INVALID, decoder.decode(b"", final=True)).encode()


class _Handler(ContentHandler):
    def __init__(self, paths: frozenset[str]) -> None:
        super().__init__()
        self._paths = paths
        self._names: list[str] = []
        self._open: list[tuple[int, Element]] = []
        self._texts: list[list[str]] = []
        self._sizes: list[int] = []
        self._ended: list[Element] = []
        self._locator: Any = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 - SAX's name
        self._locator = locator

    def take(self) -> list[Element]:
        ended, self._ended = self._ended, []
        return ended

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        self._names.append(name)
        self._texts.append([])
        self._sizes.append(0)
        path = "/".join(self._names)
        if self._open and len(self._names) == self._open[-1][0] + 1:
            fields = self._open[-1][1].fields
            fields.update({f"{name}@{key}": value for key, value in attrs.items()})
        if path in self._paths:
            above = self._open[-1][1] if self._open else None
            own = {f"@{key}": value for key, value in attrs.items()}
            line = self._locator.getLineNumber()
            self._open.append((len(self._names), Element(path, line, own, above)))

    def characters(self, content: str) -> None:
        # Longer texts are over every limit; what is past it is not held in memory.
        if self._sizes and self._sizes[-1] <= MAX_LINE_BYTES:
            self._texts[-1].append(content)
            self._sizes[-1] += len(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        if self._open and self._open[-1][0] == len(self._names):
            self._ended.append(self._open.pop()[1])
        elif self._open and self._open[-1][0] == len(self._names) - 1:
            self._open[-1][1].fields.setdefault(name, "".join(self._texts[-1]))
        self._names.pop()
        self._texts.pop()
        self._sizes.pop()
