"""Hashed word and character n-grams of a whole batch, in vectorised numpy.

A batch of comments is joined into one array of bytes; every n-gram's hash is then a few array
operations over all positions at once, without a Python loop over n-grams. On one thread that is
several times the speed of `HashingVectorizer` (see `benchmarks/`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from models.text import normalise

__all__ = ["HashedNgrams", "Occurrences", "check_texts"]

_SPACE = ord(" ")
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: Knuth, TAOCP vol. 3, 6.4
_BYTE_CODES = np.random.RandomState(2026).randint(1, 2**63 - 1, size=256, dtype=np.int64).astype(np.uint64)
_IS_WORD_BYTE = np.array([chr(b).isalnum() or b >= 0x80 or b == ord("'") for b in range(256)])
_ROWS_A_CHUNK = 2048
_CHARACTERS_A_CHUNK = 1 << 19  # bounds memory: about 200 bytes of arrays a character


_Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every n-gram of a batch, one entry an occurrence; all arrays have the same length.

    `row` is the text's index, `feature` the hashed column, `begin` and `end` the place in the bytes
    of the joined batch.
    """

    row: NDArray[np.int64]
    feature: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


def check_texts(X: Any) -> list[str]:
    """Return `X` as a list of strings.

    Raises:
        TypeError: `X` is a single string, or holds something that is not a string.
    """
    if isinstance(X, str):
        raise TypeError("expected a sequence of texts, got a single text: wrap it in a list")
    texts = list(X)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{position}] must be a str, got {type(text).__name__}")
    return texts


class HashedNgrams(TransformerMixin, BaseEstimator):
    """Texts → L2-normalised TF-IDF of hashed n-grams, as CSR of shape (n_texts, 2 ** n_bits).

    Character n-grams are taken over UTF-8 bytes and may begin or end with a space but not
    span one (scikit-learn's `char_wb`); words are runs of letters, digits and apostrophes.

    Args:
        n_bits: logarithm of the number of columns, 8 to 21.
        char_ngrams: shortest and longest character n-gram, in bytes; (0, 0) for none.
        word_ngrams: longest word n-gram, 0 to 2.

    Attributes:
        idf_: float32 array of shape (2 ** n_bits,), smoothed as in `TfidfTransformer`.
    """

    def __init__(self, n_bits: int = 19, char_ngrams: tuple[int, int] = (2, 5), word_ngrams: int = 2) -> None:
        self.n_bits = n_bits
        self.char_ngrams = char_ngrams
        self.word_ngrams = word_ngrams

    def fit(self, X: Sequence[str], y: object = None) -> Self:
        """Learn in how many texts each column occurs."""
        if not 8 <= self.n_bits <= 21:
            raise ValueError(f"n_bits must be 8 to 21, got {self.n_bits}")
        texts = check_texts(X)
        seen_in = np.zeros(2**self.n_bits, dtype=np.int64)
        for chunk in _chunks(texts):
            keys, _ = self._counted(chunk)
            seen_in += np.bincount(self._columns(keys), minlength=len(seen_in))
        self.idf_ = (np.log((1 + len(texts)) / (1 + seen_in)) + 1).astype(np.float32)
        return self

    def transform(self, X: Sequence[str]) -> sparse.csr_array:
        """Return float32 CSR of shape (len(X), 2 ** n_bits); a text without n-grams is a row of zeros."""
        check_is_fitted(self)
        texts = check_texts(X)
        chunks = [self._weighted(chunk) for chunk in _chunks(texts)]
        if len(chunks) == 1:
            return chunks[0]
        if not chunks:
            return sparse.csr_array((0, 2**self.n_bits), dtype=np.float32)
        return sparse.vstack(chunks, format="csr", dtype=np.float32)

    def occurrences(self, normalised: Sequence[str]) -> tuple[Occurrences, NDArray[np.int64]]:
        """Hash every n-gram of texts that are already normalised.

        Returns:
            The occurrences, and the offset in the joined bytes at which each text begins.
        """
        joined, starts, rows = _join(normalised)
        parts = [*self._char_ngrams(joined), *self._word_ngrams(joined, rows)]
        begin = np.concatenate([part[0] for part in parts])
        end = np.concatenate([part[1] for part in parts])
        feature = np.concatenate([part[2] for part in parts])
        return Occurrences(rows[begin], feature, begin, end), starts

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is a list of strings."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags

    def _weighted(self, texts: list[str]) -> sparse.csr_array:
        keys, counts = self._counted(texts)
        columns = self._columns(keys)
        rows = (keys >> np.uint64(self.n_bits)).astype(np.int64)
        values = (1 + np.log(counts, dtype=np.float32)) * self.idf_[columns]
        norms = np.sqrt(np.bincount(rows, weights=values.astype(np.float64) ** 2, minlength=len(texts)))
        values /= norms[rows].astype(np.float32)
        indptr = np.zeros(len(texts) + 1, dtype=np.int32)
        np.cumsum(np.bincount(rows, minlength=len(texts)), out=indptr[1:])
        return sparse.csr_array(
            (values, columns.astype(np.int32), indptr), shape=(len(texts), 2**self.n_bits)
        )

    def _counted(self, texts: list[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Distinct (row, column) keys in order, with the number of occurrences of each."""
        found, _ = self.occurrences([normalise(text) for text in texts])
        keys = (found.row.astype(np.uint64) << np.uint64(self.n_bits)) | found.feature.astype(np.uint64)
        keys.sort()
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else keys[:0]
        first = first.astype(np.int64)
        return keys[first], np.diff(np.append(first, len(keys)))

    def _columns(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (keys & np.uint64(2**self.n_bits - 1)).astype(np.int64)

    def _bucket(self, hashes: NDArray[np.uint64], kind: int) -> NDArray[np.int64]:
        mixed = (hashes ^ (hashes >> np.uint64(29))) * (_PRIME + np.uint64(2 * kind))
        return (mixed >> np.uint64(64 - self.n_bits)).astype(np.int64)

    def _char_ngrams(self, joined: NDArray[np.uint8]) -> list[_Found]:
        shortest, longest = self.char_ngrams
        codes = _BYTE_CODES[joined]
        spaces_before = np.concatenate([[0], np.cumsum(joined == _SPACE)])
        hashes = codes
        parts: list[_Found] = []
        for n in range(2, longest + 1):
            if n > len(joined):
                break
            hashes = hashes[: len(joined) - n + 1] * _PRIME + codes[n - 1 :]
            if n < shortest:
                continue
            begin = np.arange(len(hashes), dtype=np.int64)
            within = spaces_before[begin + n - 1] == spaces_before[begin + 1]
            if n == 2:
                within &= spaces_before[begin + 2] - spaces_before[begin] < 2
            kept = begin[within]
            parts.append((kept, kept + n, self._bucket(hashes[kept], n)))
        return parts

    def _word_ngrams(self, joined: NDArray[np.uint8], rows: NDArray[np.int64]) -> list[_Found]:
        begin, end, hashes = _words(joined)
        parts: list[_Found] = []
        if self.word_ngrams >= 1:
            parts.append((begin, end, self._bucket(hashes, 64)))
        if self.word_ngrams >= 2 and len(begin) > 1:
            together = rows[begin[:-1]] == rows[begin[1:]]
            pairs = hashes[:-1] * _PRIME + hashes[1:]
            parts.append((begin[:-1][together], end[1:][together], self._bucket(pairs[together], 65)))
        empty = np.zeros(0, dtype=np.int64)
        return parts or [(empty, empty, empty)]


def _chunks(texts: list[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for text in texts:
        if chunk and (len(chunk) == _ROWS_A_CHUNK or size + len(text) > _CHARACTERS_A_CHUNK):
            yield chunk
            chunk, size = [], 0
        chunk.append(text)
        size += len(text)
    if chunk:
        yield chunk


def _join(
    normalised: Sequence[str],
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Join texts as " text " each: the bytes, each text's start, and each byte's text."""
    encoded = [f" {text} ".encode() for text in normalised]
    lengths = np.array([len(text) for text in encoded], dtype=np.int64)
    joined = np.frombuffer(b"".join(encoded).translate(_TO_SPACE), dtype=np.uint8)
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
    return joined, starts, np.repeat(np.arange(len(encoded)), lengths)


_TO_SPACE = bytes(_SPACE if chr(b).isspace() and b < 0x80 else b for b in range(256))


def _words(
    joined: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
    """Begin, end and hash of every word, from differences of one running polynomial sum.

    The hash of bytes i..k is (S[k] - S[i]) / P^i modulo 2^64, S being the cumulative sum of
    code * P^position: P is odd, so that the division is a multiplication by its inverse's power.
    """
    is_word = np.concatenate([[False], _IS_WORD_BYTE[joined], [False]])
    edges = np.flatnonzero(is_word[1:] != is_word[:-1])
    begin, end = edges[0::2], edges[1::2]
    powers = _powers(_PRIME, len(joined))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_BYTE_CODES[joined] * powers, dtype=np.uint64)])
    inverse = np.uint64(pow(int(_PRIME), -1, 2**64))
    return begin, end, (sums[end] - sums[begin]) * _powers(inverse, len(joined))[begin]


def _powers(base: np.uint64, count: int) -> NDArray[np.uint64]:
    """1, base, base², … modulo 2^64, `count` of them; kept between calls."""
    known = _POWERS.get(int(base))
    if known is None or len(known) < count:
        size = max(4096, 2 * count)
        factors = np.full(size, base, dtype=np.uint64)
        factors[0] = 1
        known = np.cumprod(factors, dtype=np.uint64)
        _POWERS[int(base)] = known
    return known[:count]


_POWERS: dict[int, NDArray[np.uint64]] = {}
