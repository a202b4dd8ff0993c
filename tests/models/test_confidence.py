"""The temperature and the floor of confidence, on labels whose truth is known."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from models.confidence import abstention_floor, best_temperature


def confident(confidences: np.ndarray) -> np.ndarray:
    return np.column_stack([confidences, 1 - confidences])


def test_logits_that_say_twice_too_much_are_halved() -> None:
    chance = np.random.default_rng(3)
    logits = chance.normal(0, 2, (4000, 3))
    target = np.array([chance.choice(3, p=one) for one in softmax(logits, axis=1)])
    found = best_temperature(2 * logits, target, np.ones(len(target)))
    assert found == pytest.approx(2, rel=0.1)
    assert log_softmax(2 * logits / found, axis=1)[np.arange(4000), target].mean() > -1


def test_labels_that_fall_together_must_be_right_more_often_than_labels_that_do_not() -> None:
    """Nine in ten groups right: as many rows, each a group of its own, leave less to luck."""
    rows, size = 400, 20
    probabilities = confident(np.linspace(0.99, 0.6, rows))
    wrong = np.arange(rows) % 10 == 0
    whole_groups = np.repeat(np.arange(rows // size) % 10 == 0, size)
    weights, alone = np.ones(rows), np.arange(rows).astype(str)
    together = np.repeat(np.arange(rows // size), size).astype(str)
    scattered = abstention_floor(probabilities, wrong.astype(int), weights, alone, 0.85)
    clustered = abstention_floor(probabilities, whole_groups.astype(int), weights, together, 0.85)
    assert scattered == pytest.approx(0.6)
    assert clustered == 1.0


def test_rows_without_weight_do_not_count_and_thirty_must() -> None:
    probabilities = confident(np.linspace(0.99, 0.6, 60))
    right, groups = np.zeros(60, dtype=int), np.arange(60).astype(str)
    assert abstention_floor(probabilities, right, np.ones(60), groups, 0.9) == pytest.approx(0.6)
    few = (np.arange(60) < 29).astype(float)
    assert abstention_floor(probabilities, right, few, groups, 0.9) == 1.0


def test_the_error_is_that_of_a_ratio_of_totals() -> None:
    """Just below what one standard error leaves, a precision is reached; just above it is not."""
    chance = np.random.default_rng(5)
    weights, groups = chance.uniform(0.5, 2, 40), chance.integers(0, 8, 40).astype(str)
    wrong = (chance.uniform(size=40) < 0.2).astype(int)
    hits, share = weights * (1 - wrong), (weights * (1 - wrong)).sum() / weights.sum()
    residuals = [(hits - share * weights)[groups == group].sum() for group in set(groups.tolist())]
    lower = share - np.sqrt(np.square(residuals).sum()) / weights.sum()
    probabilities = confident(np.full(40, 0.7))
    probabilities[:39, 0] += np.linspace(0.2, 0.01, 39)
    assert abstention_floor(probabilities, wrong, weights, groups, lower - 1e-9) == pytest.approx(0.7)
    assert abstention_floor(probabilities, wrong, weights, groups, lower + 1e-9) > 0.7
