"""What `/metrics` tells, in Prometheus' text format: the version in use, drift, the challenger.

Every worker tells the same of drift and challenger, since it adds up what all of them counted.
"""

import datetime
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.errors import NotFoundError
from app.observing.counts import Observations
from app.observing.drift import LANGUAGES, drift_of_day, shares_of
from app.observing.shadow import agreement
from app.service import Service
from models.drift import DriftReference
from models.errors import BundleError

__all__ = ["service_registry"]

_VERSION_WINDOW = ("version", "window")
_PAIR_WINDOW = ("champion", "challenger", "window")


def service_registry(service: Service) -> CollectorRegistry:
    """Return a registry that asks the service whenever it is read."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Releases(service))
    registry.register(_Drift(service))
    registry.register(_Shadow(service))
    registry.register(_Limits(service))
    return registry


class _Releases(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[GaugeMetricFamily]:
        info = _gauge("model_info", "1, with the version in use", ("version",))
        info.add_metric([self._service.shelf.scorer.version], 1)
        yield info
        refused = _gauge("refused", "1 where a version that should be in use is refused", ("role",))
        refused.add_metric(["active"], float(self._service.shelf.problem is not None))
        refused.add_metric(["challenger"], float(self._service.observing.problem is not None))
        yield refused


class _Limits(Collector):
    """What this process has refused, and takes on."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        admission, rates = self._service.admission, self._service.rates
        refused = CounterMetricFamily(
            "counterpoint_requests_refused",
            "Requests refused because there was too much to do, or their caller was over its rate",
            labels=("reason",),
        )
        for reason, requests in (admission.refused | rates.refused).items():
            refused.add_metric([reason], requests)
        yield refused
        limit = _gauge("admission_limit", "Single comments that may be in flight, as learnt", ())
        limit.add_metric([], admission.limit)
        yield limit
        in_flight = _gauge("admission_in_flight", "Single comments in flight", ())
        in_flight.add_metric([], admission.in_flight)
        yield in_flight
        redis = _gauge("redis_down", "1 where Redis is to count rates and does not answer", ())
        redis.add_metric([], float(rates.is_down))
        yield redis


class _Drift(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[GaugeMetricFamily]:
        seen = self._service.observing.recent()
        comments = _gauge("observed_comments", "Comments that a version has answered", _VERSION_WINDOW)
        drift = _gauge(
            "drift_psi",
            f"Population stability index of an attribute's scores, or of {LANGUAGES}, against the reference",
            ("version", "distribution", "window"),
        )
        by_chance = _gauge(
            "drift_psi_by_chance",
            "What that index stays below in 95 of 100 days of so many comments without any drift",
            ("version", "distribution", "window"),
        )
        languages = _gauge("language_share", "Share of the comments by language", ("language", "window"))
        for window, day in _windows():
            for version, counts in seen.scores.get(day, {}).items():
                comments.add_metric([version, window], counts.comments)
                reference = self._reference_of(version)
                for one in drift_of_day(counts, reference) if reference is not None else ():
                    drift.add_metric([version, one.name, window], one.psi)
                    by_chance.add_metric([version, one.name, window], one.by_chance)
            for language, share in shares_of(seen, day).items():
                languages.add_metric([language, window], share)
        yield from (comments, drift, by_chance, languages)

    def _reference_of(self, version: str) -> DriftReference | None:
        try:
            return DriftReference.of(version, self._service.shelf.describe(version).metrics)
        except (NotFoundError, BundleError):  # which the start, the log and /readyz tell of
            return None


class _Shadow(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[GaugeMetricFamily]:
        seen: Observations = self._service.observing.recent()
        comments = _gauge("shadow_comments", "Comments that a challenger has scored too", _PAIR_WINDOW)
        left_out = _gauge("shadow_left_out", "Comments sampled when too many waited", _PAIR_WINDOW)
        agreed = _gauge("shadow_decision_agreement", "Share of decisions that are the same", _PAIR_WINDOW)
        for window, day in _windows():
            for champion, challengers in seen.shadow.get(day, {}).items():
                for challenger, found in challengers.items():
                    labels = [champion, challenger, window]
                    comments.add_metric(labels, found.comments)
                    left_out.add_metric(labels, found.left_out)
                    share = agreement(found.decisions)
                    if share is not None:
                        agreed.add_metric(labels, share[0])
        yield from (comments, left_out, agreed)


def _gauge(name: str, meaning: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"counterpoint_{name}", meaning, labels=labels)


def _windows() -> Iterator[tuple[str, str]]:
    """Today and yesterday in UTC, by names that do not change from day to day."""
    today = datetime.datetime.now(datetime.UTC).date()
    yield "today", today.isoformat()
    yield "yesterday", (today - datetime.timedelta(days=1)).isoformat()
