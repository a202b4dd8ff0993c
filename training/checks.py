"""The functional checks: what a model must be able to do, one figure a function."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.checks import CheckFunction, load_civility_checks
from training.errors import LeftOutError
from training.judged import Judged, figure

__all__ = ["THRESHOLD", "check_functions", "functional_checks"]

THRESHOLD = 0.5
"""TOXICITY from which a comment counts as toxic."""


def functional_checks(judged: Judged) -> dict[str, Any]:
    """Return what each variant passes of the checks in this repository, which no model is trained on.

    Raises:
        LeftOutError: there are none.
    """
    functions = load_civility_checks()
    if not functions:
        raise LeftOutError("no functional checks are here")
    return {
        "split": "written for this project, for judging only",
        "threshold": THRESHOLD,
        "variants": {
            variant.name: check_functions(functions, variant.toxicity) for variant in judged.variants
        },
    }


def check_functions(
    functions: Sequence[CheckFunction], toxicity: Callable[[Sequence[str]], NDArray[np.float64]]
) -> dict[str, Any]:
    """Return cases, passed and rate of all functions, and of each with the places of what failed.

    A civil sentence passes where TOXICITY stays below `THRESHOLD`, a toxic one where it reaches it.
    `failed` counts from 0 within the function's `civil` and within its `toxic` sentences: texts do
    not go into a report.
    """
    by_function = {one.name: _check(one, toxicity) for one in functions}
    return {**_summed(list(by_function.values())), "functions": by_function}


def _check(
    function: CheckFunction, toxicity: Callable[[Sequence[str]], NDArray[np.float64]]
) -> dict[str, Any]:
    reached = toxicity([*function.civil, *function.toxic]) >= THRESHOLD
    wrong_civil = np.flatnonzero(reached[: len(function.civil)])
    wrong_toxic = np.flatnonzero(~reached[len(function.civil) :])
    return {
        "title": function.title,
        **_rates(len(function.civil), len(function.toxic), len(wrong_civil), len(wrong_toxic)),
        "failed": {"civil": wrong_civil.tolist(), "toxic": wrong_toxic.tolist()},
    }


def _summed(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    civil, toxic = (sum(one[side]["cases"] for one in found) for side in ("civil", "toxic"))
    wrong = [sum(one[side]["cases"] - one[side]["passed"] for one in found) for side in ("civil", "toxic")]
    return _rates(civil, toxic, *wrong)


def _rates(civil: int, toxic: int, wrong_civil: int, wrong_toxic: int) -> dict[str, Any]:
    return {
        **_rate(civil + toxic, wrong_civil + wrong_toxic),
        "civil": _rate(civil, wrong_civil),
        "toxic": _rate(toxic, wrong_toxic),
    }


def _rate(cases: int, wrong: int) -> dict[str, Any]:
    passed = cases - wrong
    return {"cases": cases, "passed": passed, "rate": figure(passed / cases) if cases else None}
