"""Adjusted counts: right on average, honest about what is not known."""

import numpy as np
import pytest

from app.adjusting import Counted, adjust, wilson

STANCE = np.array([[60.0, 9, 6, 25], [12, 55, 8, 25], [10, 10, 50, 30]])
CIVILITY = np.array([[950.0, 50], [60, 240]])


def rates(rows: np.ndarray) -> np.ndarray:
    return rows / rows.sum(axis=1, keepdims=True)


def test_two_labels_are_corrected_as_rogan_and_gladen_do() -> None:
    told = np.array([700.0, 300.0])
    sensitivity, specificity = 240 / 300, 950 / 1_000
    expected = (0.3 + specificity - 1) / (sensitivity + specificity - 1)
    found = adjust([Counted(told, [CIVILITY])])
    assert found.share == pytest.approx([1 - expected, expected], abs=1e-6)
    assert found.low[1] < expected < found.high[1]


def test_expected_counts_give_the_true_shares() -> None:
    truth = np.array([0.2, 0.62, 0.18])
    found = adjust([Counted(truth @ rates(STANCE) * 5_000, [STANCE])])
    assert found.share == pytest.approx(truth, abs=1e-6)


def test_combined_labels_are_corrected_together() -> None:
    truth = np.array([0.1, 0.1, 0.4, 0.22, 0.16, 0.02])
    told = truth @ np.kron(rates(STANCE), rates(CIVILITY))
    found = adjust([Counted(told * 5_000, [STANCE, CIVILITY])], draws=200)
    assert found.share == pytest.approx(truth, abs=1e-5)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    held, rounds = 0, 120
    for _ in range(rounds):
        truth = random.dirichlet([4, 4, 4])
        measured = np.stack([random.multinomial(100, row) for row in rates(STANCE)]).astype(float)
        told = random.multinomial(150, truth @ rates(STANCE)).astype(float)
        found = adjust([Counted(told, [measured])], draws=400)
        held += int(found.low[1] <= truth[1] <= found.high[1])
    assert held / rounds >= 0.90


def test_a_model_that_cannot_tell_leaves_everything_open() -> None:
    blind = np.array([[10.0, 10, 10, 70], [10, 10, 10, 70], [10, 10, 10, 70]])
    found = adjust([Counted(np.array([30.0, 50, 20, 100]), [blind])])
    assert (found.high - found.low > 0.9).all()


def test_error_rates_from_few_rows_widen_the_interval() -> None:
    told = np.array([100.0, 300, 100, 200])
    few, many = (adjust([Counted(told, [STANCE * factor])]) for factor in (0.3, 30))
    assert (few.high - few.low > many.high - many.low).all()


def test_shares_stay_shares_where_the_counts_contradict_the_error_rates() -> None:
    found = adjust([Counted(np.array([1.0, 0.0]), [CIVILITY])])
    assert found.share == pytest.approx([1, 0])
    for told in ([200.0, 0, 0, 0], [0, 0, 0, 5], [0, 1, 0, 0]):
        found = adjust([Counted(np.array(told), [STANCE])])
        assert found.share.sum() == pytest.approx(1)
        assert ((found.low >= 0) & (found.low <= found.share)).all()
        assert ((found.share <= found.high) & (found.high <= 1)).all()


def test_several_models_count_by_their_comments() -> None:
    certain = np.array([[1e6, 0], [0, 1e6]])
    found = adjust([Counted(np.array([30.0, 0]), [certain]), Counted(np.array([0, 10.0]), [certain])])
    assert found.share == pytest.approx([0.75, 0.25], abs=1e-3)


def test_wilson() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    low, high = wilson(0, 20)
    assert low == 0
    assert high == pytest.approx(0.1611, abs=1e-4)
