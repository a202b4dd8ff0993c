"""Hashed n-grams of a whole batch, in vectorised numpy.

A text is the set of its distinct words. Each word is the bag of its character n-grams, which are
therefore hashed once a batch, however often and in however many texts the word occurs; beside them
stand the text's distinct words and pairs of neighbouring words. A batch is joined into one array of
bytes, and every step is a few array operations over all positions at once. On one thread that is
many times the speed of `TfidfVectorizer` (see `benchmarks/`), at the same quality.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from models.hashing import (
    SHORT_CODES,
    SHORT_PRIME,
    SPACE,
    Batch,
    Hashes,
    Places,
    Words,
    distinct_by_row,
    folded,
    gather,
    numbered,
    ones_by_row,
    pair_hashes,
    read_batch,
    sums_by_row,
)
from models.known_words import KnownWords
from models.strings import ReadsStrings
from models.text import normalise

__all__ = ["HashedNgrams", "WordShares", "check_texts"]

_WORD, _PAIR = 64, 65  # kinds of n-grams; the others are numbered by their length
_ROWS_A_CHUNK = 1024
_CHARACTERS_A_CHUNK = 1 << 19  # bounds memory: about 100 bytes of arrays a character
_NEW_BITS = 32  # of a key, for the number of a word that is not known
_NO_NEW = 2**_NEW_BITS - 1

Floats = NDArray[np.float32]


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
            chars, words = self._counts(chunk)
            both = (chars + words).tocsr()
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

    def known_words(self, words: Iterable[str], table: Floats) -> KnownWords:
        """Return what spares `project` the character n-grams of common words; it changes no projection.

        Args:
            words: normalised, without white space.
            table: what `table(coef)` gave.
        """
        check_is_fitted(self)
        chunks = [self._sums_of_words(chunk, table) for chunk in _chunks(list(words))]
        return KnownWords.joined(chunks, table.shape[1])

    def project(
        self, X: Sequence[str], table: Floats, known: KnownWords | None = None
    ) -> NDArray[np.float64]:
        """Return `transform(X) @ coef`, shape (len(X), k), without making the matrix.

        Args:
            X: n texts.
            table: what `table(coef)` gave.
            known: what `known_words(…, table)` gave.
        """
        words = KnownWords.joined([], table.shape[1]) if known is None else known
        chunks = [self._projected(chunk, table, words) for chunk in _chunks(check_texts(X))]
        return np.concatenate(chunks) if chunks else np.zeros((0, table.shape[1] - 1))

    def word_shares(self, text: str, table: Floats) -> WordShares:
        """Return how `project([text], table)` comes about, word by word; the shares are exact.

        A pair of words is shared by both halves, and what occurs more than once by all its places.

        Args:
            text: a normalised text.
            table: what `table(coef)` gave.
        """
        batch = read_batch([text])
        words = batch.words
        width = table.shape[1] - 1
        share = np.zeros((len(words.begin), width))
        if len(words.begin):
            _, first, number = numbered(words.hashes)
            of_word = self._sums_of(batch, first, table).astype(np.float64)
            count = np.bincount(number)
            norm = _norm(of_word[:, width].sum())
            share += of_word[number, :width] / count[number, None] / norm
        square = sums_by_row(table, *self._words_of(batch))[0, width]
        norm = _norm(square) / self.word_weight if self.word_weight else np.inf
        spoken = batch.spoken()
        for n, columns in enumerate(self._word_columns(spoken)):
            first, last = spoken.begin[: len(columns)], spoken.begin[n:]
            _, place, count = np.unique(columns, return_inverse=True, return_counts=True)
            value = table[columns, :width].astype(np.float64) / count[place, None] / norm / 2
            np.add.at(share, np.searchsorted(words.begin, first, side="right") - 1, value)
            np.add.at(share, np.searchsorted(words.begin, last, side="left") - 1, value)
        # The batch begins with a space; every code point begins with a byte that is no continuation.
        code_points = np.concatenate([[0], np.cumsum((batch.joined & 0xC0) != 0x80)]) - 1
        return WordShares(code_points[words.begin], code_points[words.end], share)

    def _projected(self, texts: Sequence[str], table: Floats, known: KnownWords) -> NDArray[np.float64]:
        batch = self._batch(texts)
        width = table.shape[1] - 1
        chars = self._char_sums(batch, table, known).astype(np.float64)
        words = sums_by_row(table, *self._words_of(batch)).astype(np.float64)
        projected: NDArray[np.float64] = chars[:, :width] / _norm(chars[:, width])[:, None]
        projected += self.word_weight * words[:, :width] / _norm(words[:, width])[:, None]
        return projected

    def _char_sums(self, batch: Batch, table: Floats, known: KnownWords) -> Floats:
        """Sums over the distinct words of each text, in the order of their hashes.

        So they are the same to the last bit whatever else is in the batch, and whichever words are known.
        """
        hashes = batch.words.hashes
        place, is_known = known.find(hashes)
        keys = place << _NEW_BITS | _NO_NEW
        new = np.flatnonzero(~is_known)
        if len(new):
            new_hashes, first, number = numbered(hashes[new])
            new_sums = self._sums_of(batch, new[first], table)
            keys[new] = np.searchsorted(known.hashes, new_hashes)[number] << _NEW_BITS | number
        keys, before = distinct_by_row(keys, batch.words.before, (len(known) + 1) << _NEW_BITS)
        sums = known.sums[keys >> _NEW_BITS]
        if len(new):
            number = keys & _NO_NEW
            is_new = number != _NO_NEW
            sums[is_new] = new_sums[number[is_new]]
        return sums_by_row(sums, np.arange(len(keys)), before)

    def _sums_of_words(self, words: list[str], table: Floats) -> tuple[Hashes, Floats]:
        batch = read_batch(words)
        hashes, first, _ = numbered(batch.words.hashes)
        return hashes, self._sums_of(batch, first, table)

    def _sums_of(self, batch: Batch, words: Places, table: Floats) -> Floats:
        return np.asarray(self._chars_of(batch, words) @ table)

    def _weighted(self, texts: Sequence[str]) -> sparse.csr_array:
        squares = self.idf_.astype(np.float64) ** 2
        blocks = []
        for counts, weight in zip(self._counts(texts), (1.0, self.word_weight), strict=True):
            scale = weight / _norm(counts @ squares)
            scaled = sparse.csr_array(counts, dtype=np.float32, copy=True)
            scaled.data *= self.idf_[scaled.indices] * np.repeat(scale, np.diff(scaled.indptr))
            blocks.append(scaled)
        return sparse.csr_array(blocks[0] + blocks[1], dtype=np.float32)

    def _counts(self, texts: Sequence[str]) -> tuple[sparse.csr_array, sparse.csr_array]:
        """How often each column stands for a character n-gram of each text, and for one of words."""
        batch = self._batch(texts)
        hashes, first, number = numbered(batch.words.hashes)
        number, before = distinct_by_row(number, batch.words.before, max(len(hashes), 1))
        words = ones_by_row(number, before, len(hashes))
        spoken = ones_by_row(*self._words_of(batch), 2**self.n_bits)
        return sparse.csr_array(words @ self._chars_of(batch, first)), spoken

    def _batch(self, texts: Sequence[str]) -> Batch:
        return read_batch(texts if self.normalised else list(map(normalise, texts)))

    def _chars_of(self, batch: Batch, words: Places) -> sparse.csr_array:
        """Character n-grams of some words of a batch, a row a word."""
        spaced = gather(batch.joined, batch.words.begin[words], batch.words.end[words])
        shortest, longest = self.char_ngrams
        is_space = spaced == SPACE
        token = np.cumsum(is_space) - 1
        codes = SHORT_CODES[spaced]
        hashes, within = codes, np.ones(len(spaced), dtype=bool)
        found: list[tuple[NDArray[np.intp], NDArray[np.int32]]] = []
        for n in range(2, longest + 1):
            if n > len(spaced):
                break
            hashes = hashes[:-1] * SHORT_PRIME + codes[n - 1 :]
            # An n-gram may begin with a space or end with one, and not lie across.
            within = within[:-1] if n == 2 else within[:-1] & ~is_space[n - 2 : -1]
            if n >= shortest:
                kept = np.flatnonzero(within)
                found.append((token[kept], self._bucket(hashes[kept], n)))
        return _counted(found, (len(words), 2**self.n_bits))

    def _words_of(self, batch: Batch) -> tuple[NDArray[np.int32], Places]:
        """Columns of each text's distinct words, then of its distinct pairs; how many stand before it."""
        spoken, pair = batch.spoken(), 2**self.n_bits
        columns = np.zeros((len(spoken.hashes), self.word_ngrams), dtype=np.int32)
        there = np.ones(columns.shape, dtype=bool)
        counts = np.diff(spoken.before)
        for n, found in enumerate(self._word_columns(spoken)):
            columns[: len(found), n] = found + n * pair
        if self.word_ngrams >= 2:
            there[spoken.before[1:][counts > 0] - 1, 1] = False  # nothing follows the last word
            counts = np.maximum(2 * counts - 1, 0)
        elif not self.word_ngrams:
            counts = np.zeros_like(counts)
        before = np.concatenate([[0], np.cumsum(counts)])
        keys, before = distinct_by_row(columns[there], before, 2 * pair)
        return keys & (pair - 1), before

    def _word_columns(self, spoken: Words) -> Iterator[NDArray[np.int32]]:
        """The column of each word, then that of each pair of neighbours."""
        if self.word_ngrams:
            yield self._bucket(folded(spoken.hashes), _WORD)
        if self.word_ngrams >= 2 and len(spoken.hashes) > 1:
            yield self._bucket(folded(pair_hashes(spoken.hashes)), _PAIR)

    def _bucket(self, hashes: NDArray[np.uint32], kind: int) -> NDArray[np.int32]:
        mixed = (hashes ^ (hashes >> np.uint32(15))) * (SHORT_PRIME + np.uint32(2 * kind))
        return (mixed >> np.uint32(32 - self.n_bits)).view(np.int32)


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


def _norm(squares: Any) -> Any:
    return np.sqrt(np.where(squares > 0, squares, 1.0))


def _counted(found: list[tuple[Places, NDArray[np.int32]]], shape: tuple[int, int]) -> sparse.csr_array:
    """CSR of ones from parts that are each in the order of their rows; a column may stand twice in a row."""
    if not found:
        return sparse.csr_array(shape, dtype=np.float32)
    rows = np.concatenate([part for part, _ in found])
    order = np.argsort(rows.astype(np.int32), kind="stable")  # radix or merge: the parts are in order
    columns = np.concatenate([part for _, part in found])[order]
    before = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    return ones_by_row(columns, before, shape[1])
