"""scikit-learn's own checks, and that fitting leaves hyper-parameters alone."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

from models import CivilityModel, StanceModel
from models.encoder import PairEncoder, TextEncoder
from models.evasion import Deobfuscator
from models.evidence import StanceEvidence
from models.features import HashedNgrams
from models.linear import LinearCivility

ESTIMATORS = [
    HashedNgrams(),
    Deobfuscator(),
    LinearCivility(),
    CivilityModel(),
    StanceModel(),
    StanceEvidence(),
    PairEncoder(b"", "{}"),
    TextEncoder(b"", "{}"),
]
# scikit-learn runs its other checks on tables of numbers, which these estimators do not take.
CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_set_params",
    "check_valid_tag_types",
)
PAIRS = [("Cars should go.", "I agree."), ("Cars should go.", "Nonsense.")]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("wanted", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_passes_scikit_learns_checks(wanted: BaseEstimator, check: str) -> None:
    getattr(estimator_checks, check)(type(wanted).__name__, wanted)


@pytest.mark.parametrize("wanted", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_a_clone_has_the_same_parameters_and_repr_names_the_class(wanted: BaseEstimator) -> None:
    assert clone(wanted).get_params(deep=False).keys() == wanted.get_params(deep=False).keys()
    assert type(wanted).__name__ in repr(wanted)


@pytest.mark.parametrize(
    ("wanted", "sample"),
    [(CivilityModel(), ["x"]), (StanceModel(), PAIRS)],
    ids=["CivilityModel", "StanceModel"],
)
def test_an_unfitted_model_says_so(wanted: Any, sample: Any) -> None:
    with pytest.raises(NotFittedError):
        wanted.predict_proba(sample)


def test_a_model_predicts_the_same_after_pickling(tiny: Any) -> None:
    for model, sample in ((tiny.fit_civility(), ["You fool.", "Thanks!"]), (tiny.fit_stance(), PAIRS)):
        copy = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(copy.predict_proba(sample), model.predict_proba(sample))
