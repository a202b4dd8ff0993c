from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import STANCES, Bundle, StanceModel
from models.encoder import PairEncoder
from models.evidence import EVIDENCE, StanceEvidence, opening_side
from models.features import HashedNgrams
from models.views import parts, telling_sentences

SMALL = HashedNgrams(n_bits=10, char_ngrams=(0, 0))
PREMISE = "The city should close the square to cars."


@pytest.fixture(scope="module")
def model(tiny: Any) -> StanceModel:
    fitted: StanceModel = tiny.fit_stance()
    return fitted


def evidence(comment: str, premise: str = PREMISE) -> dict[str, float]:
    others = [(premise, other) for other in ("It rained.", "Who knows?", "The bus was late again.")]
    table = StanceEvidence(min_count=1).fit([(premise, comment), *others]).transform([(premise, comment)])
    return dict(zip(EVIDENCE, table[0].tolist(), strict=True))


@pytest.mark.parametrize(
    ("comment", "shown", "not_shown"),
    [
        ("I agree.", "agree", "disagree"),
        ("I do not agree at all.", "disagree", "praise"),
        ("I don’t agree with this.", "disagree", "praise"),
        ("I couldn't agree more.", "agree", "rebuke"),
        ("I can't disagree with that.", "agree", "disagree"),
        ("I strongly disagree.", "disagree", "agree"),
        ("Well said!", "praise", "rebuke"),
        ("What nonsense.", "rebuke", "praise"),
        ("The author misses the point.", "rebuke", "praise"),
        ("You are absolutely right.", "praise", "rebuke"),
    ],
)
def test_explicit_cues(comment: str, shown: str, not_shown: str) -> None:
    found = evidence(comment)
    assert found[shown] > 0
    assert found[not_shown] == 0


def test_a_cue_addressed_to_the_article_is_told_from_one_that_is_not() -> None:
    assert evidence("The premise is wrong, I disagree with the author.")["disagree_target"] == 1
    assert evidence("My brother and I disagree about dinner.")["disagree_target"] == 0


def test_overlap_grows_with_shared_words() -> None:
    near, far = evidence("Close the square to every car!"), evidence("My soup is cold.")
    for name in ("overlap", "stem_overlap", "weighted_overlap"):
        assert near[name] > far[name] == 0


def test_negation_turns_polarity() -> None:
    assert evidence("This is good.")["polarity"] > 0 > evidence("This is not good.")["polarity"]


@given(st.text(max_size=100), st.text(max_size=200))
@settings(max_examples=100)
def test_any_pair_gets_finite_evidence(premise: str, comment: str) -> None:
    assert all(np.isfinite(value) for value in evidence(comment, premise).values())


@pytest.mark.parametrize(
    "comment",
    [
        "\n" * 20_000 + "x",
        "the " * 5_000,
        "!\n" * 10_000,
        "strongly " * 2_200,
        "i " * 10_000,
        "great the " * 2_000,
    ],
    ids=["newlines", "articles", "marks", "adverbs", "pronouns", "praise"],
)
def test_a_hostile_comment_is_read_like_any_other(comment: str) -> None:
    # With a pattern that backtracks these take minutes, not a fraction of a second.
    assert all(np.isfinite(value) for value in evidence(comment).values())


@pytest.mark.parametrize(
    ("opening", "side"),
    [
        ("Disagree with the premise.", "disagree"),
        ("I don’t agree with this headline!", "disagree"),
        ("No, I strongly disagree with the author.", "disagree"),
        ("I agree with the author.", "agree"),
        ("I agree completely with the premise of this article.", "agree"),
        ("I couldn't agree more with the author.", "agree"),
        ("I agree.", None),
        ("I agree with your point.", None),
        ("I agree with the author?", None),
        ("Does anyone agree with the author?", None),
        ("“I agree with the author,” my neighbour said.", None),
        ("'I agree with the author' is what they all say.", None),
        ("> I disagree with the author.", None),
        ("I used to agree with this headline.", None),
        ("I wish I could agree with the author.", None),
        ("I agree with the author, but not on buses.", None),
        ("I agree with the author up to a point.", None),
        ("I agree with nothing in this article.", None),
        ("I hardly agree with the author.", None),
        ("I agree that this article is garbage.", None),
        ("I agree, the author is wrong.", None),
        ("I don't agree that the author is biased.", None),
        ("I disagree with the critics of this article.", None),
        ("Those who disagree with the author are fools.", None),
        ("I very much agree with the whole underlying premise of this article.", None),
        ("It is the fourth time. I agree with the author.", None),
        ("", None),
    ],
)
def test_a_side_that_a_comment_opens_with_is_its_own_and_on_the_article(
    opening: str, side: str | None
) -> None:
    found = opening_side(f"{opening} It is the fourth time this year.", 10)
    assert (None if found is None else EVIDENCE[found]) == (side and f"{side}_target")


@pytest.mark.parametrize(
    ("opening", "label"),
    [("Disagree with the premise.", "disagree"), ("I agree with the author.", "agree")],
)
def test_a_long_comment_is_taken_at_the_word_it_opens_with(
    shipped_bundle: Bundle, opening: str, label: str
) -> None:
    rest = (
        "The square has had a market on Saturdays since my grandfather's day, and the farmers come by van. "
        "Some of them bring flowers, some bring bread, and one brings nothing but honey. I have bought from "
        "all of them, and I know what each thinks of the town hall. The rest of the week you see pigeons."
    )
    scores = shipped_bundle.stance.assess([(PREMISE, f"{opening} {rest}"), (PREMISE, rest)])
    told, without = scores.probabilities[:, STANCES.index(label)]
    assert told > shipped_bundle.stance.floor_ > without


def test_telling_sentences_are_opening_closing_and_those_on_the_premise() -> None:
    comment = "Good morning. The soup is cold. They should close the square. It rained. So no, thank you."
    chosen = ["Good morning.", "They should close the square.", "So no, thank you."]
    assert telling_sentences(PREMISE, comment, 3) == chosen
    assert telling_sentences(PREMISE, comment, 0) == []
    assert telling_sentences(PREMISE, "One sentence only.", 3) == []
    assert telling_sentences(PREMISE, "", 3) == []


def test_a_long_comment_is_read_in_parts_of_whole_sentences() -> None:
    told = [f"On day {day} “it came late again.”" for day in range(12)]
    comment = " ".join(told)
    assert parts(comment, None) == parts(comment, 84) == [comment]
    assert parts(comment, 50) == [" ".join(told[:6]), " ".join(told[6:])]
    assert parts(comment, 20) == [
        " ".join(told[:2]),
        " ".join(told[2:5]),
        " ".join(told[5:7]),
        " ".join(told[10:]),
    ]
    assert parts("", 20) == [""]


@pytest.mark.parametrize("words", [151, 160, 300, 310, 600])
def test_parts_are_of_one_length_where_no_sentence_ends(words: int) -> None:
    sizes = [len(part.split()) for part in parts("word " * words, 150)]
    assert sum(sizes) == words
    assert max(sizes) - min(sizes) <= 1


@given(st.text(alphabet="ab .!?\n\"'’", max_size=400), st.integers(1, 30))
@settings(max_examples=100)
def test_parts_lose_nothing_of_a_comment_that_four_can_hold(comment: str, most: int) -> None:
    found = parts(comment, most)
    assert 1 <= len(found) <= 4
    if len(comment.split()) <= 4 * most:
        assert "".join("".join(found).split()) == "".join(comment.split())
        assert all(len(part.split()) <= 1.4 * most + 1 for part in found)


@pytest.mark.parametrize("long", [False, True])
def test_the_end_of_a_long_comment_counts(shipped_bundle: Bundle, long: bool) -> None:
    model = shipped_bundle.stance
    story = "My aunt took the bus to the lake on Sunday, and it rained. " * (20 if long else 2)
    ends = ["The square must be closed to cars at once.", "Nobody should ever close the square to cars."]
    for_it, against = model.predict_proba([(PREMISE, story + end) for end in ends])
    assert for_it[0] - for_it[1] > 0.1 + against[0] - against[1]


class ReadAloud(PairEncoder):
    """The encoder, which also tells what it was asked to read."""

    read: ClassVar[list[str]] = []

    def transform(self, X: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        self.read.extend(text for _, text in X)
        return super().transform(X)


@pytest.fixture
def aloud(shipped_bundle: Bundle) -> ReadAloud:
    encoder = ReadAloud(shipped_bundle.stance.encoder.onnx, shipped_bundle.stance.encoder.tokenizer)
    encoder.read.clear()
    return encoder


def fitted(encoder: PairEncoder, **settings: Any) -> StanceModel:
    labels = [*STANCES, "unrelated"] * 3
    pairs = [(PREMISE, f"Comment {place}. {label} it is.") for place, label in enumerate(labels)]
    return StanceModel(encoder, **settings).fit(pairs, labels)


@pytest.mark.parametrize(("most", "beside"), [(0, []), (2, ["One.", "Three, they say."])])
def test_sentences_are_read_beside_the_whole_only_if_asked(
    aloud: ReadAloud, most: int, beside: list[str]
) -> None:
    model = fitted(aloud, most_sentences=most)
    aloud.read.clear()
    model.predict_proba([(PREMISE, "One. Two. Three, they say.")])
    assert aloud.read == ["One. Two. Three, they say.", *beside]


@pytest.mark.parametrize(("words_of_premise", "read_at_once"), [(5, 155), (60, 100), (400, 53)])
def test_a_long_premise_leaves_a_comment_fewer_words_at_once(
    aloud: ReadAloud, words_of_premise: int, read_at_once: int
) -> None:
    model = fitted(aloud)
    for words in (read_at_once, read_at_once + 1):
        aloud.read.clear()
        comment = " ".join(["word"] * words)
        model.predict_proba([(" ".join(["claim"] * words_of_premise), comment)])
        assert len(aloud.read) == words - read_at_once + 1
        assert " ".join(aloud.read) == comment


def test_a_reply_s_opening_on_the_article_is_not_on_its_parent(shipped_bundle: Bundle) -> None:
    assert shipped_bundle.stance.opening_remark
    assert not shipped_bundle.stance.replies_.opening_remark


def test_a_model_saved_before_openings_and_parts_reads_as_it_did() -> None:
    state = StanceModel().__getstate__()
    for name in ("remark_words", "opening_remark", "part_words"):
        del state[name]
    old = StanceModel()
    old.__setstate__(state)
    assert (old.remark_words, old.opening_remark, old.part_words) == (None, False, None)


def test_probabilities_sum_to_one_and_relevance_is_one(model: StanceModel) -> None:
    pairs = [(PREMISE, "I agree."), ("", ""), (PREMISE, "🎉"), ("🎉", "Nonsense. " * 200)]
    scores = model.assess(pairs)
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1)
    assert ((scores.relevance >= 0) & (scores.relevance <= 1)).all()
    np.testing.assert_array_equal(model.predict_proba(pairs), scores.probabilities)
    np.testing.assert_array_equal(model.predict_relevance(pairs), scores.relevance)


def test_nothing_in_nothing_out(model: StanceModel) -> None:
    assert model.predict_proba([]).shape == (0, 3)
    assert model.predict_relevance([]).shape == (0,)
    assert model.predict([]).shape == (0,)


def test_below_the_floor_a_label_is_uncertain(model: StanceModel) -> None:
    pairs = [(PREMISE, "I agree with the author."), (PREMISE, "Hm.")]
    confidence = model.predict_proba(pairs).max(axis=1)
    floor, model.floor_ = model.floor_, float(confidence.mean())
    try:
        found = model.predict(pairs)
    finally:
        model.floor_ = floor
    assert [label == "uncertain" for label in found] == (confidence < confidence.mean()).tolist()


def test_groups_calibrate_temperature_and_floor() -> None:
    random = np.random.RandomState(1)
    said = {"agree": "I agree.", "disagree": "I disagree.", "neutral": "When is it?"}
    pairs, labels, groups = [], [], []
    for i in range(300):
        label = STANCES[i % 3]
        misheard = STANCES[random.randint(3)] if random.random_sample() < 0.4 else label
        pairs.append((PREMISE, f"{said[misheard]} {random.randint(9)}"))
        labels.append(label)
        groups.append(f"debate {i % 12}")
    pairs += [(PREMISE, "Soup.")] * 9
    labels += ["unrelated"] * 9
    groups += [f"debate {i}" for i in range(9)]
    plain = StanceModel(features=SMALL, C=1).fit(pairs, labels)
    assert (plain.temperature_, plain.floor_) == (1.0, 0.0)
    strict = StanceModel(features=SMALL, C=1, precision=0.99).fit(pairs, labels, groups=groups)
    lenient = StanceModel(features=SMALL, C=1, precision=0.5).fit(pairs, labels, groups=groups)
    assert strict.floor_ == 1.0
    assert 0 < lenient.floor_ < 1
    right = lenient.predict(pairs[:300]) == np.array(labels[:300])
    assert right.mean() > 0.5


def test_wrong_labels_are_named() -> None:
    pairs = [(PREMISE, "x")] * 4
    with pytest.raises(ValueError, match="unknown labels: support"):
        StanceModel().fit(pairs, ["agree", "disagree", "neutral", "support"])
    with pytest.raises(ValueError, match="labels that never occur: unrelated"):
        StanceModel().fit(pairs, ["agree", "disagree", "neutral", "agree"])
    with pytest.raises(ValueError, match="y must have 4 labels, got 1"):
        StanceModel().fit(pairs, ["agree"])
    with pytest.raises(TypeError, match=r"pairs\[0\] must be a \(premise, comment\) pair"):
        StanceModel().fit(["one text"], ["agree"])  # type: ignore[list-item]


EXPLICIT = [
    ("I agree completely with the author.", "agree"),
    ("Well said, this is exactly right.", "agree"),
    ("I disagree with this, the author is wrong.", "disagree"),
    ("Nonsense. This would be a terrible idea.", "disagree"),
]


@pytest.mark.parametrize(("comment", "stance"), EXPLICIT)
def test_the_shipped_model_hears_who_says_it_outright(shipped_bundle: Any, comment: str, stance: str) -> None:
    assert shipped_bundle.stance.predict([(PREMISE, comment)])[0] == stance


def test_the_shipped_model_reads_premise_and_comment_together(shipped_bundle: Any) -> None:
    comment = "Cars kill people and poison the air, get rid of them."
    for_it, against_it = shipped_bundle.stance.predict_proba(
        [(f"We should {no}ban cars from the city centre", comment) for no in ("", "not ")]
    )
    agree = STANCES.index("agree")
    assert for_it[agree] > 0.5 > against_it[agree]


def test_a_pair_is_scored_the_same_alone_and_among_others(shipped_bundle: Any) -> None:
    pairs = [(PREMISE, comment) for comment, _ in EXPLICIT]
    together = shipped_bundle.stance.assess(pairs)
    for i, pair in enumerate(pairs):
        alone = shipped_bundle.stance.assess([pair])
        np.testing.assert_array_equal(alone.probabilities[0], together.probabilities[i])
        assert alone.relevance[0] == together.relevance[i]
