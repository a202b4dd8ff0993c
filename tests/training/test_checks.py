from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data.checks import CheckFunction
from training.checks import check_functions

CIVIL = CheckFunction("civil", "Civil", "…", civil=("c0", "c1", "c2", "c3"), toxic=())
BOTH = CheckFunction("both", "Both", "…", civil=("c4",), toxic=("t0", "t1", "t2"))
SCORES = {"c0": 0.1, "c1": 0.5, "c2": 0.49, "c3": 0.9, "c4": 0.2, "t0": 0.5, "t1": 0.499, "t2": 1.0}


def toxicity(texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([SCORES[text] for text in texts])


def test_a_half_is_toxic_and_just_below_is_civil() -> None:
    found = check_functions([CIVIL, BOTH], toxicity)["functions"]
    assert found["civil"]["failed"] == {"civil": [1, 3], "toxic": []}
    assert found["both"]["failed"] == {"civil": [], "toxic": [1]}


def test_cases_passed_and_rates() -> None:
    found = check_functions([CIVIL, BOTH], toxicity)
    assert (found["cases"], found["passed"], found["rate"]) == (8, 5, 0.625)
    assert found["civil"] == {"cases": 5, "passed": 3, "rate": 0.6}
    assert found["toxic"] == {"cases": 3, "passed": 2, "rate": 0.6667}
    assert found["functions"]["civil"]["toxic"] == {"cases": 0, "passed": 0, "rate": None}
    assert found["functions"]["both"]["rate"] == 0.75


def test_the_result_holds_no_sentence() -> None:
    text = str(check_functions([CIVIL, BOTH], toxicity))
    assert [sentence for sentence in SCORES if sentence in text] == []
