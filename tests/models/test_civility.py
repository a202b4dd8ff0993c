from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import ATTRIBUTES, CivilityModel
from models.features import HashedNgrams
from models.linear import LinearCivility


def small(C: float = 4.0) -> CivilityModel:
    return CivilityModel(LinearCivility(ATTRIBUTES, features=HashedNgrams(n_bits=12), C=C))


@pytest.fixture(scope="module")
def model(tiny: Any) -> CivilityModel:
    fitted: CivilityModel = tiny.fit_civility()
    return fitted


def test_each_attribute_learns_its_own_words(model: CivilityModel) -> None:
    texts = [
        "What a moron.",
        "bloody crap",
        "I will hurt you",
        "immigrants are animals",
        "Thank you for this",
    ]
    found = dict(zip(texts, model.predict_proba(texts), strict=True))
    for text, attribute in zip(texts, ("INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK"), strict=False):
        column = ATTRIBUTES.index(attribute)
        assert found[text][column] > 0.5
        assert found[text][column] == max(row[column] for row in found.values())


@given(st.lists(st.text(max_size=80), max_size=5))
@settings(max_examples=40)
def test_any_text_gets_probabilities_and_severe_never_exceeds_toxicity(
    model: CivilityModel, texts: list[str]
) -> None:
    found = model.predict_proba(texts)
    assert found.shape == (len(texts), 6)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[:, ATTRIBUTES.index("SEVERE_TOXICITY")] <= found[:, ATTRIBUTES.index("TOXICITY")]).all()


def test_rows_with_unknown_attributes_train_the_others(tiny: Any) -> None:
    texts = ["you fool"] * 30 + ["thank you"] * 30 + ["gruntlebark"] * 30
    labels = np.zeros((90, 6))
    labels[:30] = 1
    known = small(C=10).fit(texts[:60], labels[:60])
    partial = labels.copy()
    partial[60:] = np.nan
    partial[60:, ATTRIBUTES.index("INSULT")] = 1
    more = small(C=10).fit(texts, partial)
    insult, threat = ATTRIBUTES.index("INSULT"), ATTRIBUTES.index("THREAT")
    before, after = known.predict_proba(["gruntlebark"])[0], more.predict_proba(["gruntlebark"])[0]
    assert after[insult] > 0.9 > before[insult]
    assert after[threat] == pytest.approx(before[threat], abs=0.25)
    assert after[threat] < 0.9


def test_calibration_moves_probabilities_to_the_observed_rate(tiny: Any) -> None:
    random = np.random.RandomState(0)
    texts = [f"{random.choice(['fool', 'thanks'])} {i % 7}" for i in range(600)]
    labels = np.repeat([[float("fool" in text)] for text in texts], 6, axis=1)
    model = small(C=100).fit(texts, labels)
    noisy = np.where(random.random_sample(labels.shape) < 0.3, 1 - labels, labels)
    overconfident = model.predict_proba(["fool 1"])[0, 0]
    model.calibrate(texts, noisy)
    assert overconfident > 0.95
    assert model.predict_proba(["fool 1"])[0, 0] == pytest.approx(0.7, abs=0.06)
    assert model.predict_proba(["thanks 1"])[0, 0] == pytest.approx(0.3, abs=0.06)


def test_an_explanation_points_at_the_word_in_the_original_text(model: CivilityModel) -> None:
    text = "Thank yóu 🎉 for this report, MORON!"
    (spans,) = model.explain([text])
    insults = [span for span in spans if span.attribute == "INSULT"]
    strongest = max(insults, key=lambda span: span.score)
    assert text[strongest.begin : strongest.end] == "MORON"
    assert all(0 < span.score <= 1 for span in spans)


@pytest.mark.parametrize("written", ["MORON", "mooooron", "moro\u0301n", "m\u200boron", "ｍｏｒｏｎ"])
def test_a_span_covers_the_word_as_it_was_written(model: CivilityModel, written: str) -> None:
    text = f"“{written}”, he said."
    (spans,) = model.explain([text])
    strongest = max(spans, key=lambda span: span.score)
    assert text[strongest.begin : strongest.end] == written


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_can_be_explained(model: CivilityModel, text: str) -> None:
    (spans,) = model.explain([text])
    assert all(0 <= span.begin < span.end <= len(text) for span in spans)


def test_wrong_labels_are_named() -> None:
    with pytest.raises(ValueError, match=r"y must have shape \(2, 6\), got \(2, 5\)"):
        CivilityModel().fit(["a", "b"], np.zeros((2, 5)))
    with pytest.raises(ValueError, match="from 0 to 1, or NaN"):
        CivilityModel().fit(["a", "b"], np.full((2, 6), 1.5))
    with pytest.raises(ValueError, match="both classes"):
        small().fit(["a", "b"], np.zeros((2, 6)))


SHIPPED = [
    ("Thank you for this careful report.", 0.0, 0.2),
    ("I disagree with the author, sorry.", 0.0, 0.2),
    ("You are a stupid idiot.", 0.8, 1.0),
    ("You are a worthless piece of shit, go die.", 0.9, 1.0),
    ("The council meets on Monday to vote on the budget.", 0.0, 0.1),
]


@pytest.mark.parametrize(("text", "least", "most"), SHIPPED)
def test_the_shipped_model_tells_insult_from_disagreement(
    shipped_bundle: Any, text: str, least: float, most: float
) -> None:
    (row,) = shipped_bundle.civility.predict_proba([text])
    assert least <= row[ATTRIBUTES.index("TOXICITY")] <= most
