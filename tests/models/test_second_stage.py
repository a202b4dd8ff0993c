"""The shipped civility model with its encoder: what is asked of both stages together."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from data.examples import load_examples
from models import ATTRIBUTES, CivilityModel
from models.errors import ModelError

TEXTS = [comment.text for thread in load_examples() for comment in thread.comments][:24]
TOXICITY = ATTRIBUTES.index("TOXICITY")
CIVIL = "The council met on Monday and voted on the budget for the new bridge. "


@pytest.fixture(scope="module")
def model(shipped_bundle: Any) -> CivilityModel:
    civility: CivilityModel = shipped_bundle.civility
    return civility


def test_the_share_decides_how_many_the_encoder_reads(model: CivilityModel) -> None:
    stages = model.stages(TEXTS)
    np.testing.assert_array_equal(model.predict_proba(TEXTS, share=0.0), stages.fast)
    np.testing.assert_array_equal(model.predict_proba(TEXTS, share=1.0), stages.full)
    read = [(stages.doubt >= model.least_doubt(share)).sum() for share in (0.0, 0.05, 0.2, 0.5, 1.0)]
    assert read == sorted(read)
    assert (read[0], read[-1]) == (0, len(TEXTS))


def test_a_batch_is_the_same_as_one_by_one(model: CivilityModel) -> None:
    batch = model.predict_proba(TEXTS)
    for text, row in zip(TEXTS, batch, strict=True):
        np.testing.assert_array_equal(model.predict_proba([text])[0], row)


def test_a_share_beyond_all_is_refused(model: CivilityModel) -> None:
    with pytest.raises(ValueError, match=r"share must be 0 to 1, got 1\.5"):
        model.predict_proba(TEXTS[:1], share=1.5)


@pytest.mark.parametrize("share", [0.0, None])
def test_an_insult_at_the_end_of_twenty_thousand_characters_is_seen(
    model: CivilityModel, share: float | None
) -> None:
    long = CIVIL * (20_000 // len(CIVIL))
    without, within = model.predict_proba([long, long + "You are a stupid idiot."], share=share)[:, TOXICITY]
    assert without < 0.5 <= within


def test_the_encoder_hears_what_words_alone_do_not(model: CivilityModel) -> None:
    pairs = [
        ("I would never call you an idiot.", "I would always call you an idiot."),
        (
            "The virus spreads like vermin in the granary.",
            "These migrants spread like vermin in the granary.",
        ),
        ("This plan is idiotic.", "This man is idiotic."),
    ]
    texts = [text for pair in pairs for text in pair]
    gaps = {
        share: np.diff(model.predict_proba(texts, share=share)[:, TOXICITY].reshape(-1, 2)).ravel()
        for share in (0.0, 1.0)
    }
    assert gaps[1.0].mean() > gaps[0.0].mean() + 0.15
    assert (gaps[1.0] > 0).all()


def test_most_insults_that_are_denied_are_civil_and_those_that_are_meant_are_not(
    model: CivilityModel,
) -> None:
    denied = [
        "He is not a nutcase.",
        "You're not a halfwit, my friend.",
        "I never said that she was a crackpot.",
        "It's wrong to call the mayor a bandit.",
        "She isn't a lunatic, she is a surgeon.",
        "Nobody thinks you are a dimwit.",
    ]
    meant = ["He is a nutcase.", "You're a halfwit, my friend.", "I always said that she was a crackpot."]
    civil, toxic = (model.predict_proba(texts)[:, TOXICITY] for texts in (denied, meant))
    assert (civil < 0.5).mean() > 0.75
    assert (toxic[:2] > 0.75).all()
    assert (civil[:3] < toxic - 0.3).all()


def test_an_encoder_that_lets_its_model_go_still_answers_but_is_not_saved(model: CivilityModel) -> None:
    assert model.encoder is not None
    lean = clone(model.encoder).let_go()
    assert lean.onnx == b""
    np.testing.assert_array_equal(lean.transform(TEXTS[:3]), model.encoder.transform(TEXTS[:3]))
    for use in (pickle.dumps, lambda encoder: clone(encoder).transform(TEXTS[:1])):
        with pytest.raises(ModelError, match="let its serialized model go: load the bundle again"):
            use(lean)
