import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from models.features import HashedNgrams
from models.known_words import KnownWords
from models.text import normalise

TEXTS = st.lists(st.text(max_size=60), max_size=8)
FITTED = HashedNgrams(n_bits=14).fit(["the cat sat", "the dog, too", "a cat and a dog", "ünïcode 한국어 🎉"])


CHARACTERS = HashedNgrams(n_bits=20, word_ngrams=0).fit(["the cat sat", "the dog, too"])
WORDS = HashedNgrams(n_bits=20, char_ngrams=(0, 0)).fit(["the cat sat", "the dog, too"])
COEF = np.random.RandomState(0).randn(2**14, 3)


@given(TEXTS)
@settings(max_examples=60)
def test_a_projection_is_the_product_with_the_matrix(texts: list[str]) -> None:
    projected = FITTED.project(texts, FITTED.table(COEF))
    np.testing.assert_allclose(projected, FITTED.transform(texts) @ COEF, atol=1e-4)


@given(TEXTS)
@settings(max_examples=60)
def test_a_batch_is_projected_as_one_by_one(texts: list[str]) -> None:
    table = FITTED.table(COEF)
    batch = FITTED.project(texts, table)
    assert batch.shape == (len(texts), 3)
    for row, text in zip(batch, texts, strict=True):
        np.testing.assert_array_equal(row, FITTED.project([text], table)[0])


@given(st.lists(st.sampled_from(["the", "cat", "dog,", "한국어", "a", "new", "words!"])), TEXTS)
@settings(max_examples=60)
def test_known_words_change_no_projection(words: list[str], texts: list[str]) -> None:
    table = FITTED.table(COEF)
    known = FITTED.known_words(["the", "cat", "dog,", "한국어", "the", "a"], table)
    assert len(known) == 5
    asked = [" ".join(words), *texts]
    np.testing.assert_array_equal(FITTED.project(asked, table, known), FITTED.project(asked, table))


def test_every_known_word_is_found_and_no_other() -> None:
    chance = np.random.RandomState(0)
    hashes = np.unique(chance.randint(0, 2**63, 5_000).astype(np.uint64) * np.uint64(2))
    crowded = np.sort(np.concatenate([hashes, np.arange(300, dtype=np.uint64), [np.uint64(2**64 - 2)]]))
    crowded = np.unique(crowded)
    known = KnownWords(crowded, np.zeros((len(crowded), 2), dtype=np.float32))
    asked = chance.permutation(crowded)
    place, is_known = known.find(asked)
    assert is_known.all()
    np.testing.assert_array_equal(crowded[place], asked)
    others = np.setdiff1d(np.append(asked + np.uint64(1), np.uint64(2**64 - 1)), crowded)
    assert not known.find(others)[1].any()


@given(st.text(max_size=80))
@settings(max_examples=60)
def test_the_words_shares_add_up_to_the_projection(text: str) -> None:
    plain = normalise(text)
    shares = FITTED.word_shares(plain, FITTED.table(COEF))
    np.testing.assert_allclose(
        shares.share.sum(axis=0), FITTED.project([text], FITTED.table(COEF))[0], atol=1e-4
    )
    words = [plain[begin:end] for begin, end in zip(shares.begin, shares.end, strict=True)]
    assert words == plain.split()


def test_a_word_counts_once_however_often_it_is_said() -> None:
    once = FITTED.transform(["fool, a fool"]).toarray()
    often = FITTED.transform(["fool, a fool fool, a fool"]).toarray()
    assert np.count_nonzero(often) >= np.count_nonzero(once)
    assert CHARACTERS.transform(["fool"]).toarray() == pytest.approx(
        CHARACTERS.transform(["fool fool fool"]).toarray()
    )


@given(TEXTS)
@settings(max_examples=60)
def test_a_batch_is_the_same_as_one_by_one(texts: list[str]) -> None:
    batch = FITTED.transform(texts).toarray()
    assert batch.shape == (len(texts), 2**14)
    for row, text in zip(batch, texts, strict=True):
        np.testing.assert_array_equal(row, FITTED.transform([text]).toarray()[0])


@given(TEXTS, st.randoms())
@settings(max_examples=30)
def test_the_order_of_a_batch_does_not_matter(texts: list[str], chance: object) -> None:
    order = list(range(len(texts)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    shuffled = FITTED.transform([texts[i] for i in order]).toarray()
    np.testing.assert_array_equal(shuffled, FITTED.transform(texts).toarray()[order])


@pytest.mark.parametrize("text", ["report", "my dog hid", "ünïcode 한국어", "don't!"])
def test_each_block_has_its_length(text: str) -> None:
    lengths = [np.sqrt((block.transform([text]).toarray() ** 2).sum()) for block in (CHARACTERS, WORDS)]
    assert lengths == pytest.approx([1, 1.5], abs=1e-5)


@given(st.text(max_size=60))
def test_only_a_text_without_words_is_a_row_of_zeros(text: str) -> None:
    assert (CHARACTERS.transform([text]).nnz == 0) == (not normalise(text).split())


def test_batches_longer_than_a_chunk_keep_their_rows() -> None:
    texts = [f"comment number {i} of many" for i in range(5000)]
    found = FITTED.transform(texts)
    assert found.shape[0] == 5000
    for i in (0, 2047, 2048, 4999):
        np.testing.assert_array_equal(found[[i]].toarray(), FITTED.transform([texts[i]]).toarray())


def test_words_and_pairs_of_words_are_those_of_the_text() -> None:
    words = HashedNgrams(n_bits=16, char_ngrams=(0, 0), word_ngrams=2).fit(["x"])
    one, two, both = (set(words.transform([t]).indices) for t in ("red", "bus", "red bus"))
    assert one | two < both
    assert len(both) == 3
    assert set(words.transform(["bus, red"]).indices) & both == one | two


def test_character_ngrams_do_not_cross_spaces() -> None:
    chars = HashedNgrams(n_bits=16, char_ngrams=(3, 3), word_ngrams=0).fit(["x"])
    apart = set(chars.transform(["cat"]).indices) | set(chars.transform(["dog"]).indices)
    assert set(chars.transform(["cat dog"]).indices) == apart


def test_rare_columns_weigh_more() -> None:
    fitted = HashedNgrams(n_bits=16, char_ngrams=(0, 0), word_ngrams=1).fit(
        ["common rare", "common", "common"]
    )
    row = fitted.transform(["common rare"])
    weight = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
    (common,) = fitted.transform(["common"]).indices
    (rare,) = fitted.transform(["rare"]).indices
    assert weight[rare] > weight[common]


def test_bad_input_is_named() -> None:
    with pytest.raises(NotFittedError):
        HashedNgrams().transform(["x"])
    with pytest.raises(TypeError, match="single text"):
        FITTED.transform("a text")
    with pytest.raises(TypeError, match=r"texts\[1\] must be a str, got int"):
        FITTED.transform(["a", 1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="n_bits must be 8 to 22"):
        HashedNgrams(n_bits=30).fit(["x"])


def test_it_can_be_cloned() -> None:
    copy = clone(FITTED)
    assert copy.get_params() == FITTED.get_params()
    assert not hasattr(copy, "idf_")
