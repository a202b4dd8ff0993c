"""Lines of a file, with bounded memory however long they are."""

import csv
from collections.abc import Iterator
from typing import IO

__all__ = ["MAX_LINE_BYTES", "TOO_LONG", "CsvRecords", "read_lines"]

MAX_LINE_BYTES = 16_000_000
"""Longer lines are not held in memory, and their rows are rejected."""

TOO_LONG = b"\xee\x80\x80line too long\xee\x80\x80\n"
"""Stands for a longer line; the mark around it is of Unicode's private use."""

_BLOCK = 1 << 20

csv.field_size_limit(MAX_LINE_BYTES)


def read_lines(file: IO[bytes], begin: int, end: int | None) -> Iterator[tuple[bytes, int]]:
    """Yield each line with its end, and how many bytes it has in the file.

    Args:
        file: what to read.
        begin: where the first line begins.
        end: where the last line ends; None reads to the end of the file.
    """
    file.seek(begin)
    left = end - begin if end is not None else -1
    held: list[bytes] = []
    size = 0
    while left and (block := file.read(_BLOCK if left < 0 else min(left, _BLOCK))):
        left -= len(block) if left > 0 else 0
        pieces = block.split(b"\n")
        for piece in pieces[:-1]:
            size += len(piece) + 1
            if size > MAX_LINE_BYTES:
                yield TOO_LONG, size
            else:
                held.append(piece)
                yield (b"".join(held) if len(held) > 1 else piece) + b"\n", size
            held, size = [], 0
        size += len(pieces[-1])
        if size > MAX_LINE_BYTES:
            held = []
        elif pieces[-1]:
            held.append(pieces[-1])
    if size:
        yield (TOO_LONG if size > MAX_LINE_BYTES else b"".join(held)), size


class CsvRecords:
    """The records of a CSV file, each with the line and the byte at which it begins.

    Reading in Latin-1 keeps every byte as it is: the characters that matter to CSV are ASCII, so that records
    are found in the same places whatever the encoding, and broken UTF-8 is noticed value by value.
    """

    def __init__(self, file: IO[bytes], delimiter: str, begin: int = 0, end: int | None = None) -> None:
        self._lines = read_lines(file, begin, end)
        self._reader = csv.reader(self._texts(), delimiter=delimiter)
        self.offset = begin
        self.line = 0
        """Lines read so far."""

    def __iter__(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield the number of each record's first line, from 0, and its values or what is wrong with it."""
        while True:
            first = self.line
            try:
                yield first, next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield first, f"broken CSV: {error}"

    def _texts(self) -> Iterator[str]:
        for line, size in self._lines:
            self.offset += size
            self.line += 1
            yield line.decode("latin-1")
