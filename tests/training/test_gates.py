"""Losses and chance: what the gates let through, and what they hold back."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest
from sklearn.metrics import roc_auc_score

from training.retraining import RetrainingSettings
from training.retraining.chance import (
    auc_error,
    auc_loss_by_chance,
    figure_loss_by_chance,
    rate_loss_by_chance,
)
from training.retraining.gates import stance_gates

GATES = RetrainingSettings.read().gates


def two_models(seed: int, n: int = 300, worse: float = 0.0) -> tuple[NDArray[np.bool_], ...]:
    """Rows, and two models whose scores share most of their noise; the second one is worse by some."""
    chance = np.random.default_rng(seed)
    positive = chance.random(n) < 0.3
    shared, own = chance.normal(size=n), chance.normal(size=(2, n))
    return positive, *(
        strength * positive + shared + 0.4 * noise
        for strength, noise in zip((1.5, 1.5 - worse), own, strict=True)
    )


def test_where_nothing_is_lost_the_probability_is_uniform() -> None:
    found = [auc_loss_by_chance(*two_models(seed)) for seed in range(300)]
    assert kstest(found, "uniform").pvalue > 0.01


def test_a_real_loss_becomes_clear_with_more_rows() -> None:
    few, many = (auc_loss_by_chance(*two_models(1, n, worse=0.15)) for n in (60, 6000))
    assert many < 1e-6 < few


def test_the_error_of_an_area_is_its_spread_over_samples() -> None:
    drawn = [two_models(seed)[:2] for seed in range(300)]
    spread = np.std([roc_auc_score(positive, score) for positive, score in drawn])
    assert np.mean([auc_error(*one) for one in drawn]) == pytest.approx(spread, rel=0.15)


def test_models_that_score_the_same_lost_nothing() -> None:
    positive, score, _ = two_models(0)
    assert auc_loss_by_chance(positive, score, score) == 1
    right = score > 0
    assert rate_loss_by_chance(right, right) == 1


def test_a_rate_is_judged_by_the_rows_that_changed() -> None:
    before = np.ones(22, dtype=bool)
    for lost, expected in ((1, 1 / 2), (3, 1 / 8), (10, 1 / 1024)):
        after = before.copy()
        after[:lost] = False
        assert rate_loss_by_chance(before, after) == pytest.approx(expected)
        assert rate_loss_by_chance(after, before) == 1


def test_rows_of_one_group_are_not_so_many_observations() -> None:
    chance = np.random.default_rng(3)
    losses = np.repeat(chance.normal(0.1, 0.3, 10), 50) + chance.normal(0, 0.3, 500)

    def mean(places: NDArray[np.intp]) -> float:
        return float(losses[places].mean())

    alone = figure_loss_by_chance(mean, [str(i) for i in range(500)], 0)
    together = figure_loss_by_chance(mean, [str(i // 50) for i in range(500)], 0)
    assert alone < 0.01 < 0.1 < together


def gate(loss: float, by_chance: float, sets: int = 1) -> bool:
    """Whether a loss of agreement's AUC passes, among the gates of several sets."""
    before = {f"s{i}": {"n": 300, "agree_disagree_auc": 0.8, "ece": 0.1} for i in range(sets)}
    after = before | {"s0": before["s0"] | {"agree_disagree_auc": 0.8 - loss}}
    found = stance_gates(before, after, lambda group, name: by_chance, GATES)
    assert len(found) == 2 * sets
    assert all(one.by_chance is None for one in found[1:])
    return found[0].passed


def test_a_loss_is_refused_where_it_is_clear_or_beyond_its_bound() -> None:
    assert gate(GATES.stance_drop, by_chance=0.0)
    assert gate(2 * GATES.stance_drop, by_chance=0.2)
    assert not gate(2 * GATES.stance_drop, by_chance=0.001)
    assert not gate(GATES.stance_bound + 0.001, by_chance=0.2)


def test_the_more_gates_there_are_the_clearer_a_loss_must_be() -> None:
    assert not gate(2 * GATES.stance_drop, by_chance=0.02)
    assert gate(2 * GATES.stance_drop, by_chance=0.02, sets=5)
    strict = replace(GATES, chance_of_refusal=1.0)
    before = {"s": {"n": 300, "ece": 0.1}}
    (one,) = stance_gates(before, {"s": {"n": 300, "ece": 0.15}}, lambda *_: 0.9, strict)
    assert not one.passed
