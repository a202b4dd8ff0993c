"""Stance adapted to one article: shrunk to the general model, and better with labels."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone

from models.adaptation import StanceAdaptation
from models.stance import STANCES


def article(n: int, seed: int, prior: tuple[float, float, float]) -> tuple[NDArray[np.float64], list[str]]:
    """Comments of an article with other priors than the general model's, which are equal."""
    chance = np.random.default_rng(seed)
    truth = chance.choice(3, n, p=prior)
    return softmax(1.2 * np.eye(3)[truth] + chance.normal(0, 1, (n, 3)), axis=1), [STANCES[i] for i in truth]


def log_loss(probabilities: NDArray[np.float64], labels: list[str]) -> float:
    return float(
        -np.log(probabilities[np.arange(len(labels)), [STANCES.index(one) for one in labels]]).mean()
    )


def test_no_label_leaves_the_general_model_as_it_is() -> None:
    probabilities, _ = article(20, 0, (0.4, 0.3, 0.3))
    adaptation = StanceAdaptation().fit(np.zeros((0, 3)), [])
    np.testing.assert_allclose(adaptation.predict_proba(probabilities), probabilities, atol=1e-9)
    assert adaptation.n_labels_ == 0


def test_labels_of_an_article_help_there_and_more_of_them_more() -> None:
    held_out, truth = article(4000, 1, (0.05, 0.8, 0.15))
    losses = [log_loss(held_out, truth)]
    for size in (10, 50):
        drawn = [
            log_loss(
                StanceAdaptation().fit(*article(size, 100 + seed, (0.05, 0.8, 0.15))).predict_proba(held_out),
                truth,
            )
            for seed in range(20)
        ]
        losses.append(float(np.mean(drawn)))
    assert losses[0] > losses[1] > losses[2]


def test_one_label_moves_it_a_little_towards_that_stance() -> None:
    even = np.full((1, 3), 1 / 3)
    after = StanceAdaptation().fit(even, ["disagree"]).predict_proba(even)[0]
    assert 1 / 3 < after[STANCES.index("disagree")] < 0.55
    assert after.sum() == pytest.approx(1)


def test_confusions_of_an_article_are_corrected() -> None:
    probabilities, labels = article(400, 4, (0.4, 0.4, 0.2))
    swapped = [{"agree": "disagree", "disagree": "agree"}.get(one, one) for one in labels]
    adapted = StanceAdaptation(slope_strength=1.0).fit(probabilities, swapped).predict_proba(probabilities)
    assert log_loss(adapted, swapped) < log_loss(probabilities, swapped) - 0.3


def test_certain_probabilities_and_weights_are_taken() -> None:
    adaptation = StanceAdaptation().fit(np.eye(3), list(STANCES), sample_weight=[1.0, 2.0, 3.0])
    assert np.isfinite(adaptation.predict_proba(np.eye(3))).all()
    assert clone(adaptation).get_params() == adaptation.get_params()


@pytest.mark.parametrize(
    ("probabilities", "labels", "weights", "reason"),
    [
        (np.eye(3), ["agree"], None, "must have shape"),
        (np.eye(3)[:1], ["unrelated"], None, "labels must be of"),
        (np.eye(3)[:1], ["agree"], [1.0, 1.0], "sample_weight must have shape"),
    ],
)
def test_wrong_input_is_named(
    probabilities: NDArray[np.float64], labels: list[str], weights: list[float] | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        StanceAdaptation().fit(probabilities, labels, weights)


def test_strengths_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        StanceAdaptation(prior_strength=0).fit(np.eye(3), list(STANCES))
