"""What is measured while the service runs: counters, histograms and gauges for Prometheus.

Every label has a bounded set of values: no ids, no raw paths, nothing that a caller chooses.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from app.schemas import ScoreAnswer, StanceLabel
from models import ATTRIBUTES

__all__ = ["Instruments"]

disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
_SCORES = tuple(i / 10 for i in range(1, 10))
_MEMORY = Path("/proc/self/statm")


class Instruments:
    """The instruments of one process. Where several share `PROMETHEUS_MULTIPROC_DIR`, these add up.

    Attributes:
        registry: has them all; nothing else.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = self._histogram(
            "request_seconds",
            "Time until a request was answered whole, by the route's template",
            _SECONDS,
            ("method", "route", "status"),
        )
        self.in_progress = self._gauge("requests_in_progress", "Requests being answered", "livesum")
        scores = self._histogram("score", "Scores by attribute", _SCORES, ("attribute",))
        self._scores = {name: scores.labels(name) for name in ATTRIBUTES}
        actions = self._counter("decisions", "Comments scored, by decision", ("action",))
        self._actions = {name: actions.labels(name) for name in ("approve", "review", "reject")}
        labels = self._counter("stances", "Stances towards premises, by label", ("label",))
        self._labels = {name: labels.labels(name) for name in get_args(StanceLabel)}
        stages = self._counter(
            "civility_comments", "Comments in English, by the stage that judged their civility", ("stage",)
        )
        self._stages = {name: stages.labels(name) for name in ("fast", "encoder")}
        self._waits = self._histogram(
            "queue_wait_seconds", "Time a comment waited before its micro-batch began", _SECONDS
        )
        queue = self._gauge("queue_comments", "Comments that wait, by lane", "livesum", ("lane",))
        self._queue = {name: queue.labels(name) for name in ("single", "bulk")}
        self._batch_sizes = self._histogram("micro_batch_comments", "Comments of a micro-batch", _SIZES)
        self._batch_seconds = self._histogram(
            "micro_batch_seconds", "Time that scoring a micro-batch took", _SECONDS
        )
        store = self._histogram(
            "store_seconds", "Time that a question to the database took", _SECONDS, ("outcome",)
        )
        self._store = {name: store.labels(name) for name in ("ok", "down", "failed")}
        self._store_up = self._gauge("store_up", "1 where the database answered when last asked", "livemin")
        kept = self._counter("stored_comments", "Comments that were to be stored", ("outcome",))
        self._kept = {True: kept.labels("stored"), False: kept.labels("lost")}
        self._workers = self._gauge("workers", "Processes that answer", "livesum")
        self._memory = self._gauge("resident_memory_bytes", "Memory of all processes together", "livesum")
        self._using = self._gauge("model_workers", "Processes that use a version", "livesum", ("version",))
        self._refused = self._gauge(
            "refused", "1 where a version that should be in use is refused", "livemax", ("role",)
        )
        turned_away = self._counter(
            "requests_refused",
            "Requests refused because there was too much to do, or their caller was over its rate",
            ("reason",),
        )
        self._turned_away = {name: turned_away.labels(name) for name in ("single", "bulk", "rate")}
        self._admission_limit = self._gauge(
            "admission_limit", "Single comments that may be in flight, as learnt", "livesum"
        )
        self._in_flight = self._gauge("admission_in_flight", "Single comments in flight", "livesum")
        self._redis_down = self._gauge(
            "redis_down", "1 where Redis is to count rates and does not answer", "livemax"
        )
        self._draining = self._gauge("draining", "Processes that end once their requests are done", "livesum")
        self._workers.set(1)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note a request that was answered, or given up where `status` is 0."""
        self._seconds.labels(method, route, str(status)).observe(seconds)

    def scored(self, answers: Iterable[ScoreAnswer]) -> None:
        """Note what comments were given."""
        for answer in answers:
            self._actions[answer.decision.action].inc()
            if answer.civility is not None:
                for name, score in answer.civility.attributes.items():
                    self._scores[name].observe(score)
            if answer.stance is not None:
                self._labels[answer.stance.label].inc()

    def judged(self, stages: Mapping[str, int]) -> None:
        """Note how many comments each stage of the civility model judged."""
        for name, comments in stages.items():
            self._stages[name].inc(comments)

    def waited(self, seconds: Sequence[float]) -> None:
        """Note how long the comments of a micro-batch waited for its beginning."""
        for one in seconds:
            self._waits.observe(one)

    def micro_batch(self, comments: int, seconds: float) -> None:
        """Note a micro-batch."""
        self._batch_sizes.observe(comments)
        self._batch_seconds.observe(seconds)

    def asked_store(self, outcome: str, seconds: float) -> None:
        """Note a question to the database: "ok", "down" or "failed"."""
        self._store[outcome].observe(seconds)
        if outcome != "failed":  # a database that refuses something is there
            self._store_up.set(outcome == "ok")

    def stored(self, comments: int, kept: bool) -> None:
        """Note comments that were to be stored, and whether they are."""
        self._kept[kept].inc(comments)

    def queued(self, single: int, bulk: int) -> None:
        """Note how many comments wait now."""
        self._queue["single"].set(single)
        self._queue["bulk"].set(bulk)

    def turned_away(self, reason: str) -> None:
        """Note a request that was refused: "single", "bulk" or "rate"."""
        self._turned_away[reason].inc()

    def admitted(self, limit: float, in_flight: int) -> None:
        """Note how many single comments may be in flight now, and how many are."""
        self._admission_limit.set(limit)
        self._in_flight.set(in_flight)

    def redis_down(self, down: bool) -> None:
        """Note whether Redis is to count rates and does not answer."""
        self._redis_down.set(down)

    def using(self, version: str, before: str | None) -> None:
        """Note the version in use, and the one until now."""
        if before is not None:
            self._using.labels(before).set(0)
        self._using.labels(version).set(1)

    def refused(self, role: str, refused: bool) -> None:
        """Note whether the version for a role, "active" or "challenger", is refused."""
        self._refused.labels(role).set(refused)

    def draining(self, draining: bool) -> None:
        """Note whether this process is about to end."""
        self._draining.set(draining)

    def measure_memory(self) -> None:
        """Note the memory of this process, where the system tells."""
        with suppress(FileNotFoundError):
            pages = int(_MEMORY.read_text(encoding="ascii").split()[1])
            self._memory.set(pages * os.sysconf("SC_PAGE_SIZE"))

    def _histogram(
        self, name: str, meaning: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return Histogram(f"counterpoint_{name}", meaning, labels, registry=self.registry, buckets=buckets)

    def _counter(self, name: str, meaning: str, labels: Sequence[str]) -> Counter:
        return Counter(f"counterpoint_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, mode: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(
            f"counterpoint_{name}",
            meaning,
            labels,
            registry=self.registry,
            multiprocess_mode=mode,  # type: ignore[arg-type]
        )
