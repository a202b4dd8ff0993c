"""Thresholds to decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.policy import decide
from app.settings import Threshold, Thresholds
from models import ATTRIBUTES

NOTHING = dict.fromkeys(ATTRIBUTES, 0.0)
SEVERITY = ["approve", "review", "reject"]
scores = st.fixed_dictionaries({name: st.floats(0, 1) for name in ATTRIBUTES})


def test_a_civil_comment_is_approved_without_reasons() -> None:
    decision = decide(NOTHING, Thresholds())
    assert (decision.action, decision.reasons) == ("approve", [])


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_each_attribute_counts_from_its_threshold_on(attribute: str) -> None:
    threshold = getattr(Thresholds(), attribute.lower())
    for action, limit in (("review", threshold.review), ("reject", threshold.reject)):
        if limit is None:
            assert decide(NOTHING | {attribute: 1.0}, Thresholds()).action == "review"
            continue
        decision = decide(NOTHING | {attribute: limit}, Thresholds())
        assert decision.action == action
        assert [reason.model_dump() for reason in decision.reasons] == [
            {
                "code": "score over threshold",
                "action": action,
                "attribute": attribute,
                "score": limit,
                "threshold": limit,
            }
        ]
        below = decide(NOTHING | {attribute: limit - 0.0001}, Thresholds())
        assert SEVERITY.index(below.action) < SEVERITY.index(action)


def test_reasons_stand_strictest_first() -> None:
    decision = decide(NOTHING | {"PROFANITY": 0.99, "INSULT": 0.8, "THREAT": 0.9}, Thresholds())
    assert decision.action == "reject"
    assert [reason.attribute for reason in decision.reasons] == ["THREAT", "PROFANITY", "INSULT"]


def test_a_threshold_can_be_switched_off() -> None:
    off = Thresholds(toxicity=Threshold(review=None, reject=None))
    assert decide(NOTHING | {"TOXICITY": 1.0}, off).action == "approve"


def test_review_must_not_be_above_reject() -> None:
    with pytest.raises(ValidationError, match="review must not be above reject"):
        Threshold(review=0.9, reject=0.8)


@given(scores=scores, attribute=st.sampled_from(ATTRIBUTES), more=st.floats(0, 1))
def test_a_higher_score_never_gives_a_milder_action(scores: dict, attribute: str, more: float) -> None:
    higher = scores | {attribute: max(scores[attribute], more)}
    before, after = decide(scores, Thresholds()), decide(higher, Thresholds())
    assert SEVERITY.index(after.action) >= SEVERITY.index(before.action)
