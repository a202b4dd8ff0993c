"""A batch of texts as one array of bytes: its words, their hashes, and sets of keys row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = [
    "SHORT_CODES",
    "SHORT_PRIME",
    "SPACE",
    "Batch",
    "Hashes",
    "Places",
    "Words",
    "distinct_by_row",
    "folded",
    "gather",
    "numbered",
    "ones_by_row",
    "pair_hashes",
    "read_batch",
    "sums_by_row",
]

SPACE = ord(" ")
_TO_SPACE = bytes(SPACE if chr(b).isspace() and b < 0x80 else b for b in range(256))
_IS_WORD_BYTE = np.array([chr(b).isalnum() or b >= 0x80 or b == ord("'") for b in range(256)])
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: Knuth, TAOCP vol. 3, 6.4
_INVERSE = np.uint64(pow(int(_PRIME), -1, 2**64))
_BYTE_CODES = np.random.RandomState(2026).randint(1, 2**63 - 1, size=256, dtype=np.int64).astype(np.uint64)
SHORT_PRIME = np.uint32(0x9E3779B1)
"""The same for 32 bits: a prime."""
SHORT_CODES = (_BYTE_CODES >> np.uint64(31)).astype(np.uint32)
"""A random number for each byte."""

Places = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a batch, in order: where each begins and ends in its bytes, its hash of 64 bits.

    `before`, shape (n_texts + 1,), says how many words stand before each text.
    """

    begin: Places
    end: Places
    hashes: Hashes
    before: Places


class Batch:
    """Texts joined as " text" each, with a space at the end.

    Attributes:
        joined: the bytes, white space in ASCII being spaces.
        words: what stands between spaces.
    """

    def __init__(self, joined: NDArray[np.uint8], starts: Places) -> None:
        self.joined = joined
        self._starts = starts
        self._sums = _running_hash(joined)
        self.words = self._words_of(joined != SPACE)

    def spoken(self) -> Words:
        """Return the runs of letters, digits, apostrophes and bytes beyond ASCII."""
        return self._words_of(_IS_WORD_BYTE[self.joined])

    def _words_of(self, inside: NDArray[np.bool_]) -> Words:
        edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1  # the bytes begin and end with a space
        begin, end = edges[0::2], edges[1::2]
        before = np.append(np.searchsorted(begin, self._starts), len(begin))
        return Words(begin, end, _hash_of(self._sums, begin, end), before)


def read_batch(normalised: Sequence[str]) -> Batch:
    """Return texts that `models.text.normalise` made as a batch."""
    encoded = [text.encode() for text in normalised]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    joined = b" " + b" ".join(encoded) + b" "
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])[:-1]
    return Batch(np.frombuffer(joined.translate(_TO_SPACE), dtype=np.uint8), starts)


def gather(joined: NDArray[np.uint8], begin: Places, end: Places) -> NDArray[np.uint8]:
    """Put these words one after another, each after one space, and a space at the end."""
    lengths = end - begin + 1
    total = int(lengths.sum())
    source = np.arange(total) + np.repeat(begin - 1 - (np.cumsum(lengths) - lengths), lengths)
    return np.append(joined[source], np.uint8(SPACE))


def _running_hash(joined: NDArray[np.uint8]) -> Hashes:
    """The cumulative sum of code * P^position, modulo 2^64, with a zero in front."""
    sums = np.zeros(len(joined) + 1, dtype=np.uint64)
    np.cumsum(_BYTE_CODES[joined] * _powers(_PRIME, len(joined)), out=sums[1:])
    return sums


def _hash_of(sums: Hashes, begin: Places, end: Places) -> Hashes:
    """Hash of the bytes from begin to end: (S[end] - S[begin]) / P^begin.

    P is odd, so that the division is a multiplication by its inverse's power.
    """
    hashes: Hashes = (sums[end] - sums[begin]) * _powers(_INVERSE, len(sums))[begin]
    return hashes


def pair_hashes(hashes: Hashes) -> Hashes:
    """Return the hash of each word with the one that follows it, one fewer than there are words."""
    pairs: Hashes = hashes[:-1] * _PRIME + hashes[1:]
    return pairs


def folded(hashes: Hashes) -> NDArray[np.uint32]:
    """Return 32 bits of each."""
    return (hashes ^ (hashes >> np.uint64(32))).astype(np.uint32)


def numbered(keys: Hashes) -> tuple[Hashes, Places, Places]:
    """The distinct keys in order, where each first turns up, and each key's number among them.

    As `np.unique`, whose hash table takes several times as long here.
    """
    order = np.argsort(keys)
    ordered = keys[order]
    is_new = np.ones(len(keys), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    number = np.empty(len(keys), dtype=np.int64)
    number[order] = np.cumsum(is_new) - 1
    return ordered[is_new], order[is_new], number


def distinct_by_row(keys: NDArray[Any], before: Places, limit: int) -> tuple[NDArray[Any], Places]:
    """Return the distinct keys of each row in order, and how many stand before each row.

    Args:
        keys: of all rows, one after another, from 0; overwritten.
        before: how many stand before each row, shape (n_rows + 1,).
        limit: above all keys.
    """
    if len(before) == 2:
        keys = np.sort(keys)
        is_new = np.ones(len(keys), dtype=bool)
        is_new[1:] = keys[1:] != keys[:-1]
        keys = keys[is_new]
        return keys, np.array([0, len(keys)])
    # Rows are short: sorting each is several times as fast as sorting all keys at once.
    rows = sparse.csr_array((np.ones(len(keys), dtype=np.int8), keys, before), shape=(len(before) - 1, limit))
    rows.sum_duplicates()
    return rows.indices, rows.indptr


def ones_by_row(columns: NDArray[Any], before: Places, width: int) -> sparse.csr_array:
    """Return CSR of ones: the columns of each row, in their order; one may stand twice in a row."""
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_array((ones, columns, before), shape=(len(before) - 1, width))


def sums_by_row(table: NDArray[np.float32], columns: NDArray[Any], before: Places) -> NDArray[np.float32]:
    """Return for each row the sum of the table's rows `columns`, one after another, shape (n_rows, k)."""
    if len(before) == 2 and len(columns):
        return np.cumsum(table[columns], axis=0)[-1:]  # as below to the last bit, and at once
    return np.asarray(ones_by_row(columns, before, len(table)) @ table)


def _powers(base: np.uint64, count: int) -> Hashes:
    """1, base, base², … modulo 2^64, `count` of them; kept between calls."""
    known = _POWERS.get(int(base))
    if known is None or len(known) < count:
        size = max(4096, 2 * count)
        factors = np.full(size, base, dtype=np.uint64)
        factors[0] = 1
        known = np.cumprod(factors, dtype=np.uint64)
        _POWERS[int(base)] = known
    return known[:count]


_POWERS: dict[int, Hashes] = {}
