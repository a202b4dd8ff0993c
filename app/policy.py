"""From the six civility scores to approve, review or reject, with reasons.

Only civility is asked: a stance has no way in, so disagreement can never make a decision worse.
The decision is monotone: a higher score never gives a milder action.
"""

from collections.abc import Mapping

from app.schemas import Action, Attribute, Decision, Reason
from app.settings import Threshold, Thresholds

__all__ = ["decide", "decide_unsupported_language"]

_SEVERITY: dict[Action, int] = {"approve": 0, "review": 1, "reject": 2}


def decide(scores: Mapping[Attribute, float], thresholds: Thresholds) -> Decision:
    """Return the strictest action that any attribute asks for, and a reason an attribute.

    Args:
        scores: attribute → score in [0, 1]. A score equal to a threshold reaches it.
        thresholds: from which score each attribute asks for what.

    Returns:
        Reasons stand strictest first, then highest score first; none means approve.
    """
    reasons = [
        reason
        for attribute, score in scores.items()
        if (reason := _reason(attribute, score, getattr(thresholds, attribute.lower()))) is not None
    ]
    reasons.sort(key=lambda reason: (-_SEVERITY[reason.action], -(reason.score or 0.0)))
    return Decision(action=reasons[0].action if reasons else "approve", reasons=reasons)


def decide_unsupported_language() -> Decision:
    """Return the decision for a comment that the model cannot read: a person has to."""
    return Decision(action="review", reasons=[Reason(code="language not supported", action="review")])


def _reason(attribute: Attribute, score: float, threshold: Threshold) -> Reason | None:
    least = threshold.reject if threshold.review is None else threshold.review
    if least is None or score < least:
        return None
    steps: tuple[tuple[Action, float | None], ...] = (
        ("reject", threshold.reject),
        ("review", threshold.review),
    )
    for action, limit in steps:
        if limit is not None and score >= limit:
            return Reason(
                code="score over threshold", action=action, attribute=attribute, score=score, threshold=limit
            )
    return None
