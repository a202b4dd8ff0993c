"""Hashed n-grams of a whole batch, in vectorised numpy.

A text is the set of its distinct words. Each word is the bag of its character n-grams, which are
therefore hashed once a batch, however often and in however many texts the word occurs; beside them
stand the text's distinct words and pairs of neighbouring words. A batch is joined into one array of
bytes, and every step is a few array operations over all positions at once. On one thread that is
many times the speed of `TfidfVectorizer` (see `benchmarks/`), at the same quality.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from models.strings import ReadsStrings
from models.text import normalise

__all__ = ["HashedNgrams", "WordShares", "check_texts"]

_SPACE = ord(" ")
_TO_SPACE = bytes(_SPACE if chr(b).isspace() and b < 0x80 else b for b in range(256))
_IS_WORD_BYTE = np.array([chr(b).isalnum() or b >= 0x80 or b == ord("'") for b in range(256)])
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: Knuth, TAOCP vol. 3, 6.4
_INVERSE = np.uint64(pow(int(_PRIME), -1, 2**64))
_BYTE_CODES = np.random.RandomState(2026).randint(1, 2**63 - 1, size=256, dtype=np.int64).astype(np.uint64)
_SHORT_PRIME = np.uint32(0x9E3779B1)  # the same for 32 bits: a prime
_SHORT_CODES = (_BYTE_CODES >> np.uint64(31)).astype(np.uint32)
_WORD, _PAIR = 64, 65  # kinds of n-grams; the others are numbered by their length
_ROWS_A_CHUNK = 1024
_CHARACTERS_A_CHUNK = 1 << 19  # bounds memory: about 100 bytes of arrays a character

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class WordShares:
    """What each space-delimited word of one normalised text adds to the projections.

    `begin` and `end` are the words' code point offsets, shape (n_words,); `share` has shape
    (n_words, k), and its sum over the words is the text's projection.
    """

    begin: Places
    end: Places
    share: NDArray[np.float64]


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


class HashedNgrams(ReadsStrings, TransformerMixin, BaseEstimator):
    """Texts → TF-IDF of hashed n-grams, as CSR of shape (n_texts, 2 ** n_bits).

    Two blocks share the columns. The length by which each is divided counts every n-gram of every distinct
    word for itself, so that it needs no sorting; the block's norm is one where no two words share an n-gram.
    The blocks are: character n-grams over the UTF-8 bytes of the distinct space-delimited words, which may
    begin or end with a space but not span one (scikit-learn's `char_wb`); and distinct words
    (runs of letters, digits and apostrophes) with pairs of neighbouring ones, weighted by `word_weight`.

    Args:
        n_bits: logarithm of the number of columns, 8 to 22.
        char_ngrams: shortest and longest character n-gram, in bytes; (0, 0) for none.
        word_ngrams: longest word n-gram, 0 to 2.
        word_weight: norm of the block of words, >= 0.
        normalised: whether the texts come as `models.text.normalise` leaves them.

    Attributes:
        idf_: float32 array of shape (2 ** n_bits,), smoothed as in `TfidfTransformer`.
    """

    def __init__(
        self,
        n_bits: int = 18,
        char_ngrams: tuple[int, int] = (3, 5),
        word_ngrams: int = 2,
        word_weight: float = 1.5,
        normalised: bool = False,
    ) -> None:
        self.n_bits = n_bits
        self.char_ngrams = char_ngrams
        self.word_ngrams = word_ngrams
        self.word_weight = word_weight
        self.normalised = normalised

    def fit(self, X: Sequence[str], y: object = None) -> Self:
        """Learn in how many texts each column occurs."""
        if not 8 <= self.n_bits <= 22:
            raise ValueError(f"n_bits must be 8 to 22, got {self.n_bits}")
        texts = check_texts(X)
        seen_in = np.zeros(2**self.n_bits, dtype=np.int64)
        for chunk in _chunks(texts):
            read = self._read(chunk)
            both = (read.chars_by_row() + read.words).tocsr()
            seen_in += np.bincount(both.indices, minlength=len(seen_in))
        self.idf_ = (np.log((1 + len(texts)) / (1 + seen_in)) + 1).astype(np.float32)
        return self

    def transform(self, X: Sequence[str]) -> sparse.csr_array:
        """Return float32 CSR of shape (len(X), 2 ** n_bits); a text without n-grams is a row of zeros."""
        check_is_fitted(self)
        chunks = [self._weighted(chunk) for chunk in _chunks(check_texts(X))]
        if not chunks:
            return sparse.csr_array((0, 2**self.n_bits), dtype=np.float32)
        return sparse.vstack(chunks, format="csr", dtype=np.float32)

    def table(self, coef: NDArray[np.floating[Any]]) -> Floats:
        """Return what `project` needs of `coef`, shape (2 ** n_bits, k): float32 of shape (…, k + 1)."""
        check_is_fitted(self)
        return np.column_stack([coef * self.idf_[:, None], self.idf_**2]).astype(np.float32)

    def project(self, X: Sequence[str], table: Floats) -> NDArray[np.float64]:
        """Return `transform(X) @ coef`, shape (len(X), k), without making the matrix.

        Args:
            X: n texts.
            table: what `table(coef)` gave.
        """
        chunks = [self._projected(chunk, table) for chunk in _chunks(check_texts(X))]
        return np.concatenate(chunks) if chunks else np.zeros((0, table.shape[1] - 1))

    def word_shares(self, text: str, table: Floats) -> WordShares:
        """Return how `project([text], table)` comes about, word by word; the shares are exact.

        A pair of words is shared by both halves, and what occurs more than once by all its places.

        Args:
            text: a normalised text.
            table: what `table(coef)` gave.
        """
        joined, _ = _join([text])
        sums = _running_hash(joined)
        begin, end = _runs(joined != _SPACE)
        width = table.shape[1] - 1
        share = np.zeros((len(begin), width))
        read = self._read([text], already_normalised=True)
        if len(begin) and read.tokens.shape[1]:
            of_token = (read.chars @ table).astype(np.float64)
            place = np.searchsorted(read.token_hashes, _hash_of(sums, begin, end))
            count = np.bincount(place, minlength=len(of_token))
            norm = _norm(of_token[:, width].sum())
            share += of_token[place, :width] / count[place, None] / norm
        norm = _norm((read.words @ table)[0, width]) / self.word_weight if self.word_weight else np.inf
        for first, last, columns in self._word_occurrences(joined, sums):
            _, place, count = np.unique(columns, return_inverse=True, return_counts=True)
            value = table[columns, :width].astype(np.float64) / count[place, None] / norm / 2
            np.add.at(share, np.searchsorted(begin, first, side="right") - 1, value)
            np.add.at(share, np.searchsorted(begin, last, side="left") - 1, value)
        # The batch begins with a space; every code point begins with a byte that is no continuation.
        code_points = np.concatenate([[0], np.cumsum((joined & 0xC0) != 0x80)]) - 1
        return WordShares(code_points[begin], code_points[end], share)

    def _projected(self, texts: Sequence[str], table: Floats) -> NDArray[np.float64]:
        read = self._read(texts)
        width = table.shape[1] - 1
        chars = (read.tokens @ (read.chars @ table)).astype(np.float64)
        words = (read.words @ table).astype(np.float64)
        projected: NDArray[np.float64] = chars[:, :width] / _norm(chars[:, width])[:, None]
        projected += self.word_weight * words[:, :width] / _norm(words[:, width])[:, None]
        return projected

    def _weighted(self, texts: Sequence[str]) -> sparse.csr_array:
        read = self._read(texts)
        squares = self.idf_.astype(np.float64) ** 2
        blocks = []
        for counts, weight in ((read.chars_by_row(), 1.0), (read.words, self.word_weight)):
            scale = weight / _norm(counts @ squares)
            scaled = sparse.csr_array(counts, dtype=np.float32, copy=True)
            scaled.data *= self.idf_[scaled.indices] * np.repeat(scale, np.diff(scaled.indptr))
            blocks.append(scaled)
        return sparse.csr_array(blocks[0] + blocks[1], dtype=np.float32)

    def _read(self, texts: Sequence[str], already_normalised: bool = False) -> "_Read":
        plain = texts if self.normalised or already_normalised else [normalise(text) for text in texts]
        joined, starts = _join(plain)
        sums = _running_hash(joined)
        begin, end = _runs(joined != _SPACE)
        hashes, first, token = _numbered(_hash_of(sums, begin, end))
        rows = np.searchsorted(starts, begin, side="right") - 1
        return _Read(
            tokens=_present(rows, token, (len(texts), len(hashes))),
            token_hashes=hashes,
            chars=self._chars_of(_gather(joined, begin[first], end[first]), len(hashes)),
            words=self._words_of(joined, sums, starts),
        )

    def _chars_of(self, spaced: NDArray[np.uint8], n_tokens: int) -> sparse.csr_array:
        """Character n-grams of words that stand in `spaced`, each after one space, a row a word."""
        shortest, longest = self.char_ngrams
        is_space = spaced == _SPACE
        token = np.cumsum(is_space) - 1
        codes = _SHORT_CODES[spaced]
        hashes, within = codes, np.ones(len(spaced), dtype=bool)
        found: list[tuple[NDArray[np.intp], NDArray[np.int32]]] = []
        for n in range(2, longest + 1):
            if n > len(spaced):
                break
            hashes = hashes[:-1] * _SHORT_PRIME + codes[n - 1 :]
            # An n-gram may begin with a space or end with one, and not lie across.
            within = within[:-1] if n == 2 else within[:-1] & ~is_space[n - 2 : -1]
            if n >= shortest:
                kept = np.flatnonzero(within)
                found.append((token[kept], self._bucket(hashes[kept], n)))
        return _counted(found, (n_tokens, 2**self.n_bits))

    def _words_of(self, joined: NDArray[np.uint8], sums: Hashes, starts: Places) -> sparse.csr_array:
        shape = (len(starts), 2**self.n_bits)
        found = []
        for first, last, columns in self._word_occurrences(joined, sums):
            rows = np.searchsorted(starts, first, side="right") - 1
            together = rows == np.searchsorted(starts, last, side="right") - 1
            present = _distinct(rows[together] << self.n_bits | columns[together])
            found.append((present >> self.n_bits, (present & (2**self.n_bits - 1)).astype(np.int32)))
        return _counted(found, shape)

    def _word_occurrences(
        self, joined: NDArray[np.uint8], sums: Hashes
    ) -> Iterator[tuple[Places, Places, NDArray[np.int32]]]:
        """Begin of the first and the last word, and the column, of every word and every pair."""
        if not self.word_ngrams:
            return
        begin, end = _runs(_IS_WORD_BYTE[joined])
        hashes = _hash_of(sums, begin, end)
        yield begin, begin, self._bucket(_folded(hashes), _WORD)
        if self.word_ngrams >= 2 and len(begin) > 1:
            pairs = hashes[:-1] * _PRIME + hashes[1:]
            yield begin[:-1], begin[1:], self._bucket(_folded(pairs), _PAIR)

    def _bucket(self, hashes: NDArray[np.uint32], kind: int) -> NDArray[np.int32]:
        mixed = (hashes ^ (hashes >> np.uint32(15))) * (_SHORT_PRIME + np.uint32(2 * kind))
        return (mixed >> np.uint32(32 - self.n_bits)).view(np.int32)


@dataclass(frozen=True, slots=True)
class _Read:
    """A batch: which words its texts have, the words' character n-grams, the texts' word n-grams."""

    tokens: sparse.csr_array
    token_hashes: Hashes
    chars: sparse.csr_array
    words: sparse.csr_array

    def chars_by_row(self) -> sparse.csr_array:
        return sparse.csr_array(self.tokens @ self.chars)


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


def _join(normalised: Sequence[str]) -> tuple[NDArray[np.uint8], Places]:
    """Join texts as " text" each, with a space at the end: the bytes, and each text's start."""
    encoded = [text.encode() for text in normalised]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    joined = b" " + b" ".join(encoded) + b" "
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])[:-1]
    return np.frombuffer(joined.translate(_TO_SPACE), dtype=np.uint8), starts


def _runs(inside: NDArray[np.bool_]) -> tuple[Places, Places]:
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1  # the joined bytes begin and end with a space
    return edges[0::2], edges[1::2]


def _gather(joined: NDArray[np.uint8], begin: Places, end: Places) -> NDArray[np.uint8]:
    """Put these words one after another, each after one space, and a space at the end."""
    lengths = end - begin + 1
    total = int(lengths.sum())
    source = np.arange(total) + np.repeat(begin - 1 - (np.cumsum(lengths) - lengths), lengths)
    return np.append(joined[source], np.uint8(_SPACE))


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


def _folded(hashes: Hashes) -> NDArray[np.uint32]:
    return (hashes ^ (hashes >> np.uint64(32))).astype(np.uint32)


def _numbered(keys: Hashes) -> tuple[Hashes, Places, Places]:
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


def _distinct(keys: Places) -> Places:
    ordered = np.sort(keys)
    is_new = np.ones(len(keys), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]


def _present(rows: Places, columns: Places, shape: tuple[int, int]) -> sparse.csr_array:
    keys = _distinct(rows * shape[1] + columns)
    rows, columns = np.divmod(keys, shape[1]) if shape[1] else (keys, keys)
    return _csr(rows, columns.astype(np.int32), shape)


def _counted(found: list[tuple[Places, NDArray[np.int32]]], shape: tuple[int, int]) -> sparse.csr_array:
    """CSR of ones from parts that are each in the order of their rows; a column may stand twice in a row."""
    if not found:
        return sparse.csr_array(shape, dtype=np.float32)
    if len(found) == 1:
        return _csr(*found[0], shape)
    rows = np.concatenate([part for part, _ in found])
    order = np.argsort(rows.astype(np.int32), kind="stable")  # radix or merge: the parts are in order
    return _csr(rows[order], np.concatenate([part for _, part in found])[order], shape)


def _csr(rows: Places, columns: NDArray[np.int32], shape: tuple[int, int]) -> sparse.csr_array:
    indptr = np.zeros(shape[0] + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=shape[0]), out=indptr[1:])
    return sparse.csr_array((np.ones(len(columns), dtype=np.float32), columns, indptr), shape=shape)


def _norm(squares: Any) -> Any:
    return np.sqrt(np.where(squares > 0, squares, 1.0))


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
