"""The columns of the output, and how an answer fills them."""

from collections.abc import Sequence
from typing import Any

from app.rescore.job import Job
from app.rescore.reading import Row
from app.schemas import Decision, ScoreAnswer, Stance
from models import ATTRIBUTES, STANCES

__all__ = ["COLUMNS", "columns_of", "output_row"]

_STANCE = ("stance", "stance_confidence", *(f"stance_{name}" for name in STANCES), "relevance")
_REPLY = tuple(f"reply_{name}" for name in _STANCE)

COLUMNS: dict[str, type] = {
    "id": str,
    "article": str,
    "parent": str,
    "language": str,
    "civility": float,
    **dict.fromkeys(ATTRIBUTES, float),
    **{name: str if name == "stance" else float for name in _STANCE},
    **{name: str if name == "reply_stance" else float for name in _REPLY},
    "decision": str,
    "reasons": str,
    "model": str,
    "run": str,
}
"""Column → type of its values; any of them may be missing but `language`, `decision`, `model` and `run`."""

_NO_STANCE = (None,) * len(_STANCE)
_NO_CIVILITY = (None,) * (1 + len(ATTRIBUTES))


def columns_of(job: Job) -> tuple[str, ...]:
    """Return the columns of a run's output, what is kept of the input last."""
    return (*COLUMNS, *map(_kept_name, job.kept))


def output_row(row: Row, answer: ScoreAnswer, run_id: str) -> tuple[Any, ...]:
    """Return the values of `COLUMNS`, then those kept of the input."""
    civility = answer.civility
    return (
        row.request.comment.id,
        row.article,
        row.parent,
        answer.language,
        *(
            _NO_CIVILITY
            if civility is None
            else (civility.score, *[civility.attributes.get(name) for name in ATTRIBUTES])  # type: ignore[call-overload]
        ),
        *_stance(answer.stance),
        *_stance(answer.reply_stance),
        answer.decision.action,
        _reasons(answer.decision),
        answer.model,
        run_id,
        *row.kept.values(),
    )


def _kept_name(column: str) -> str:
    return f"input_{column}" if column in COLUMNS else column


def _stance(stance: Stance | None) -> Sequence[Any]:
    if stance is None:
        return _NO_STANCE
    probabilities = [stance.probabilities[name] for name in STANCES]  # type: ignore[index]
    return stance.label, stance.confidence, *probabilities, stance.relevance


def _reasons(decision: Decision) -> str | None:
    told = [f"{reason.attribute or reason.code}: {reason.action}" for reason in decision.reasons]
    return "; ".join(told) or None
