import pickle

import numpy as np
import pytest

from models.features import HashedNgrams
from models.linear import LinearCivility

TEXTS = ["you fool", "thank you", "what a fool", "what a day"] * 10
LABELS = np.array([[1.0], [0.0], [1.0], [0.0]] * 10)


def small() -> LinearCivility:
    return LinearCivility(features=HashedNgrams(n_bits=10), C=50.0)


def test_a_teachers_doubt_is_learnt() -> None:
    sure = small().fit(TEXTS, LABELS).predict_proba(["you fool", "thank you"])[:, 0]
    doubting = (
        small().fit(TEXTS, np.where(LABELS == 1, 0.6, 0.2)).predict_proba(["you fool", "thank you"])[:, 0]
    )
    assert sure[0] > 0.9 > 0.1 > sure[1]
    assert doubting == pytest.approx([0.6, 0.2], abs=0.05)


def test_what_is_shown_beyond_certainty_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        small().fit(TEXTS, LABELS * 2)
    with pytest.raises(ValueError, match="0, 1 or NaN"):
        small().fit(TEXTS, LABELS).calibrate(TEXTS, np.full((40, 1), 0.5))


def test_a_disguised_word_scores_as_the_word() -> None:
    model = small().fit(TEXTS, LABELS)
    plain, disguised = model.predict_proba(["you fool", "you f.o.o.l"])[:, 0]
    assert disguised == pytest.approx(plain)


def test_the_pickle_holds_each_coefficient_once() -> None:
    model = small().fit(TEXTS, LABELS)
    copy = pickle.loads(pickle.dumps(model))
    assert "_table" not in copy.__dict__
    np.testing.assert_array_equal(copy.predict_proba(TEXTS), model.predict_proba(TEXTS))
