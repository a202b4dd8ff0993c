"""The refusals of a service that has too much to do, made once in the words of each protocol."""

from app.compat.envelopes import translation_for
from app.errors import BusyError, RefusedError
from app.limits.admission import Admission, Gate, ReadyRefusal
from app.ops.problems import PROBLEM_TYPE, problem_of

__all__ = ["gate_of", "ready_refusal"]

_SINGLE = ("/v1/score", "/v1alpha1/comments:analyze", "/v1/moderations")
_BULK = ("/v1/score/batch", "/v1/score/stream", "/batch", "/batch/commentanalyzer/v1alpha1")


def gate_of(admission: Admission) -> Gate:
    """Return the gate in front of the routes that score."""
    busy = BusyError("More comments wait here than can be scored in time; try again later.")
    return Gate(
        admission,
        single={path: ready_refusal(path, busy) for path in _SINGLE},
        bulk={path: ready_refusal(path, busy) for path in _BULK},
    )


def ready_refusal(path: str, refusal: RefusedError) -> ReadyRefusal:
    """Return the answer that tells of `refusal` in the words of the protocol to which `path` belongs."""
    body = problem_of(refusal).model_dump_json(exclude_unset=True).encode()
    status, headers = refusal.status, {"Content-Type": PROBLEM_TYPE}
    translate = translation_for(path)
    if translate is not None:
        reply = translate(refusal.status, refusal.detail)
        status, body, headers = reply.code, reply.content, reply.headers
    if refusal.retry_after_s is not None:
        headers = {**headers, "Retry-After": str(refusal.retry_after_s)}
    headers = {**headers, "Content-Length": str(len(body))}
    pairs = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
    return ReadyRefusal(status, pairs, body)
