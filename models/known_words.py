"""Common words whose character n-grams are looked up once, when a model is loaded."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.hashing import Hashes, Places

__all__ = ["KnownWords"]

_SLOTS_A_WORD = 4


class KnownWords:
    """For each of some words, found by its hash, the sum of the table's rows over its character n-grams.

    Args:
        hashes: of the words, in order, none of them twice.
        sums: float32, shape (n_words, k): a row a word.

    Attributes:
        hashes: as given.
        sums: as given, and a row of zeros at the end.
    """

    def __init__(self, hashes: Hashes, sums: NDArray[np.float32]) -> None:
        self.hashes = hashes
        self.sums = np.vstack([sums, np.zeros((1, sums.shape[1]), dtype=np.float32)])
        bits = max(1, (_SLOTS_A_WORD * len(hashes)).bit_length() - 1)
        self._shift = np.uint64(64 - bits)
        # The words of a slot are those whose hashes begin with the same bits: a few neighbours.
        slots = np.arange(2**bits, dtype=np.uint64) << self._shift
        self._first = np.searchsorted(hashes, slots).astype(np.int32)
        self._closed = np.append(hashes, np.uint64(2**64 - 1))

    @classmethod
    def joined(cls, parts: Sequence[tuple[Hashes, NDArray[np.float32]]], width: int) -> Self:
        """Return the words of all parts; one may stand in several of them.

        Args:
            parts: hashes and sums, as above but for their order.
            width: k.
        """
        hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *(part[0] for part in parts)])
        sums = np.concatenate([np.zeros((0, width), dtype=np.float32), *(part[1] for part in parts)])
        ordered, first = np.unique(hashes, return_index=True)
        return cls(ordered, sums[first])

    def find(self, hashes: Hashes) -> tuple[Places, NDArray[np.bool_]]:
        """Return the place of each hash among `hashes`, and whether it is there; where not, any place."""
        place = self._first[hashes >> self._shift].astype(np.int64)
        short = np.flatnonzero(self._closed[place] < hashes)
        while len(short):
            place[short] += 1
            short = short[self._closed[place[short]] < hashes[short]]
        return place, (self._closed[place] == hashes) & (place < len(self))

    def __len__(self) -> int:
        """How many words there are."""
        return len(self.hashes)
