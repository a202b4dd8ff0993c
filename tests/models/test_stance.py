from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import STANCES, StanceModel
from models.evidence import EVIDENCE, StanceEvidence
from models.features import HashedNgrams
from models.views import views

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


def test_views_are_the_comment_then_its_telling_sentences() -> None:
    comment = "Good morning. The soup is cold. They should close the square. It rained. So no, thank you."
    assert views(PREMISE, comment, 3) == [
        comment,
        "Good morning.",
        "They should close the square.",
        "So no, thank you.",
    ]
    assert views(PREMISE, "One sentence only.", 3) == ["One sentence only."]
    assert views(PREMISE, "", 3) == [""]


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
