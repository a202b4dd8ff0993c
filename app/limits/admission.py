"""Takes on as many requests as can be answered in time, and refuses the others at once."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Admission", "AdmissionGate", "Coming", "Gate", "ReadyRefusal"]

_AT_FIRST = 64
_FEWEST = 8
_LEARNING_RATE = 0.1
_TELL_EVERY_S = 10.0
_log = logging.getLogger("counterpoint.limits")


class Admission:
    """How many single comments may be in flight, learnt from how long those before them took.

    By Little's law, a request that found n in flight, itself among them, and was answered after t seconds
    tells that n × goal / t of them can be answered within the goal. Whatever is short, processor, models
    or the event loop, is in that figure. Requests that met no queue tell nothing, and are left out.

    Args:
        goal_s: within how many seconds single comments are to be answered; None takes on all of them.
        bulk_wait: tells for how many seconds the comments of batches and streams that wait will keep the
            models busy.
        most_bulk_wait_s: from which such wait on batches and streams are refused.
        refused: told of each request that is refused: "single" or "bulk".

    Attributes:
        limit: most single comments in flight, as learnt.
        in_flight: single comments in flight.
        coming: requests that the server has let in and that will be in flight in a moment.
    """

    def __init__(
        self,
        *,
        goal_s: float | None,
        bulk_wait: Callable[[], float],
        most_bulk_wait_s: float,
        refused: Callable[[str], None],
    ) -> None:
        self.limit = float("inf") if goal_s is None else float(_AT_FIRST)
        self.in_flight = self.coming = 0
        self._goal = goal_s
        self._bulk_wait = bulk_wait
        self._most_bulk_wait = most_bulk_wait_s
        self._refused = refused
        self._told_at = 0.0
        self._untold = 0

    def refuses_single(self) -> bool:
        """Tell whether one more single comment would wait too long; counts it if so."""
        return self.in_flight + self.coming >= self.limit and self._note("single")

    def refuses_bulk(self) -> bool:
        """Tell whether one more batch or stream would wait too long; counts it if so."""
        return self._bulk_wait() > self._most_bulk_wait and self._note("bulk")

    def enter(self) -> int:
        """Count a single comment as in flight; returns how many are."""
        self.in_flight += 1
        return self.in_flight

    def leave(self, found: int, took_s: float | None) -> None:
        """Count one less.

        Args:
            found: what `enter` returned.
            took_s: how long the comment was in flight, in seconds; None where it got no scores.
        """
        self.in_flight -= 1
        if took_s is not None and self._goal is not None:
            self._learn(found, took_s, self._goal)

    def _learn(self, found: int, took: float, goal: float) -> None:
        if took < goal / 2 and found < self.limit / 2:
            return
        possible = min(found * goal / max(took, 1e-6), 2 * self.limit)
        self.limit = max(_FEWEST, self.limit + _LEARNING_RATE * (possible - self.limit))

    def _note(self, kind: str) -> bool:
        # A line for every refusal would cost more than the refusal.
        self._refused(kind)
        self._untold += 1
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY_S:
            fields = {"requests": self._untold, "in_flight": self.in_flight}
            _log.warning("more requests than can be answered in time: refused", extra={"fields": fields})
            self._told_at, self._untold = now, 0
        return True


class Coming:
    """A request that the server has let in, until it is in flight or is over."""

    KEY = "coming"
    """Where it is in the scope's state."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._counts = True
        admission.coming += 1

    def is_here(self) -> None:
        """Count it as coming no more."""
        if self._counts:
            self._counts = False
            self._admission.coming -= 1


@dataclass(frozen=True, slots=True)
class ReadyRefusal:
    """An answer that is made once and sent many times."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Gate:
    """Decides which requests come in.

    Args:
        admission: knows how many can be answered in time.
        single: path of a route for single comments → how it refuses.
        bulk: path of a route for many comments → how it refuses.
    """

    def __init__(
        self, admission: Admission, *, single: Mapping[str, ReadyRefusal], bulk: Mapping[str, ReadyRefusal]
    ) -> None:
        self.admission = admission
        self.single = single
        self.bulk = bulk

    def refusal(self, path: str) -> ReadyRefusal | None:
        """Return how a request for `path` is refused now, or None where it may come in."""
        if path in self.single:
            return self.single[path] if self.admission.refuses_single() else None
        if path in self.bulk:
            return self.bulk[path] if self.admission.refuses_bulk() else None
        return None


class AdmissionGate:
    """Middleware, inside of what reads the bodies, so that no slow sender takes up a place."""

    def __init__(self, app: ASGIApp, *, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"] if scope["type"] == "http" else ""
        coming: Coming | None = scope.get("state", {}).get(Coming.KEY)
        if coming is not None:
            coming.is_here()
        refusal = self._gate.refusal(path)
        if refusal is not None:
            await _send(refusal, send)
        elif path in self._gate.single:
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scored = False

        async def send_and_see(message: Message) -> None:
            nonlocal scored
            if message["type"] == "http.response.start":
                scored = message["status"] == 200
            await send(message)

        found, began = self._gate.admission.enter(), time.monotonic()
        try:
            await self._app(scope, receive, send_and_see)
        finally:
            self._gate.admission.leave(found, time.monotonic() - began if scored else None)


async def _send(refusal: ReadyRefusal, send: Send) -> None:
    start: Message = {"type": "http.response.start", "status": refusal.status, "headers": [*refusal.headers]}
    await send(start)
    await send({"type": "http.response.body", "body": refusal.body})
