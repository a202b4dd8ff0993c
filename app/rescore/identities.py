"""Ids that occur more than once, found in bounded memory however many there are.

Every part leaves the digests of its ids, sorted; a range of digests at a time is read from all parts. They
have 128 bits: two different ids share one once in about 10^22 archives of a hundred million comments.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DuplicateId", "find_duplicates", "write_ids"]

_KIND = np.dtype([("high", "<u8"), ("low", "<u8"), ("row", "<u8"), ("line", "<u8")])
_ROWS_AT_ONCE = 1_000_000


class DuplicateId(NamedTuple):
    """A row whose id came before: its place among the scored rows of its part, and where the first was."""

    row: int
    line: int
    first_part: int
    first_line: int


def write_ids(file: IO[bytes], ids: Sequence[str | None], lines: Sequence[int]) -> None:
    """Write the ids of a part's scored rows; those without one are left out.

    Args:
        file: where to.
        ids: one a scored row, in order.
        lines: the line of each.
    """
    rows = [
        (
            *np.frombuffer(hashlib.blake2b(id.encode(), digest_size=16).digest(), dtype="<u8").tolist(),
            row,
            line,
        )
        for row, (id, line) in enumerate(zip(ids, lines, strict=True))
        if id is not None
    ]
    table = np.array(rows, dtype=_KIND)
    np.save(file, table[np.lexsort((table["row"], table["low"], table["high"]))])


def find_duplicates(files: Sequence[Path]) -> dict[int, list[DuplicateId]]:
    """Return for each part, by its place in `files`, the rows whose id came before, in order.

    Args:
        files: what `write_ids` wrote, in the order of the parts.
    """
    tables = [np.load(path, mmap_mode="r") for path in files]
    total = sum(map(len, tables))
    found: dict[int, list[DuplicateId]] = {}
    for low, high in _ranges(total):
        slices = [_between(table, low, high) for table in tables]
        parts = np.repeat(np.arange(len(slices)), [len(piece) for piece in slices])
        rows = np.concatenate(slices) if slices else np.zeros(0, dtype=_KIND)
        order = np.lexsort((rows["row"], parts, rows["low"], rows["high"]))
        rows, parts = rows[order], parts[order]
        again = np.zeros(len(rows), dtype=bool)
        again[1:] = (rows["high"][1:] == rows["high"][:-1]) & (rows["low"][1:] == rows["low"][:-1])
        first = np.maximum.accumulate(np.where(again, 0, np.arange(len(rows)))) if len(rows) else order
        for place in np.flatnonzero(again):
            original = first[place]
            duplicate = DuplicateId(
                int(rows["row"][place]),
                int(rows["line"][place]),
                int(parts[original]),
                int(rows["line"][original]),
            )
            found.setdefault(int(parts[place]), []).append(duplicate)
    return {part: sorted(duplicates) for part, duplicates in sorted(found.items())}


def _ranges(total: int) -> Iterator[tuple[int, int]]:
    count = 1 + total // _ROWS_AT_ONCE
    bounds = [2**64 * n // count for n in range(count + 1)]
    yield from pairwise(bounds)


def _between(table: NDArray[np.void], low: int, high: int) -> NDArray[np.void]:
    first = np.searchsorted(table["high"], np.uint64(low))
    last = len(table) if high == 2**64 else np.searchsorted(table["high"], np.uint64(high))
    return np.array(table[first:last])
