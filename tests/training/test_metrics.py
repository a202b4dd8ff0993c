import numpy as np
import pytest

from training.metrics import attribute_metrics, calibration_error, stance_metrics

CLASSES = ("agree", "disagree", "neutral")


def test_calibration_error_is_the_mean_gap() -> None:
    assert calibration_error([0.0, 1.0], [0, 1]) == 0
    assert calibration_error([0.8] * 10, [1] * 8 + [0] * 2) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [1] * 5 + [0] * 5) == pytest.approx(0.4)
    assert calibration_error([0.9, 0.1], [0, 1]) == pytest.approx(0.9)


def test_unknown_rows_do_not_count() -> None:
    found = attribute_metrics(np.array([0.9, 0.1, 0.5]), np.array([1.0, 0.0, np.nan]))
    assert (found["n"], found["positives"], found["roc_auc"]) == (2, 1, 1.0)
    assert "roc_auc" not in attribute_metrics(np.array([0.9]), np.array([1.0]))
    assert attribute_metrics(np.array([0.9]), np.array([np.nan])) == {"n": 0, "positives": 0}


def test_stance_figures() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1], [0.3, 0.3, 0.4]])
    found = stance_metrics(probabilities, ["agree", "disagree", "disagree", "neutral"], CLASSES, floor=0.6)
    assert found["n"] == 4
    assert found["accuracy"] == 0.75
    assert (found["decided"], found["decided_accuracy"]) == (0.5, 1.0)
    assert found["agree_disagree_auc"] == 1.0
    assert found["majority_macro_f1"] == pytest.approx(0.2222, abs=1e-4)
