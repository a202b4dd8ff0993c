"""Counts what the service answers, and lets a challenger score a sample of it, in a thread of its own."""

import datetime
import logging
import queue
import random
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from app.errors import NotFoundError
from app.observing.counts import Comparison, Observations, ScoreCounts, added
from app.observing.folder import ObservationFolder
from app.observing.shadow import compare
from app.ops.logging import log_failure
from app.schemas import Claims, ScoreAnswer, ScoreRequest
from app.scorer import Scorer
from app.settings import Settings
from app.shelf import ModelShelf
from models import ATTRIBUTES, Manifest
from models.civility import ENGLISH
from models.drift import Distribution, DriftReference
from models.errors import BundleError, ManifestError

__all__ = ["Observer", "bins_of"]

_log = logging.getLogger("counterpoint.observing")
_WRITE_EVERY_S = 5.0
_PORTION = 4  # few, since a comment that is to be answered may have to wait for the interpreter
_REST = 3.0  # for every second of work three of rest: at most a quarter of one core
_MOST_LANGUAGES = 200  # a caller may name any
_OTHER = "other"
_RECENT_S = 2 * 86_400.0
_EVEN_BINS = Distribution((0.01, 0.05, *(i / 10 for i in range(1, 10)), 0.95), (1 / 13,) * 13)


class _Sampled(NamedTuple):
    request: ScoreRequest
    registered: Claims | None
    answer: ScoreAnswer


class Observer:
    """Observes the answers while its context is open.

    `saw` is called between scoring and answering: it counts in some microseconds, never waits and never
    raises for what the challenger does.

    Attributes:
        problem: why the challenger does not score, for the operator; None where it does or none is set.
    """

    def __init__(self, settings: Settings, shelf: ModelShelf) -> None:
        self.problem: str | None = None
        self._settings = settings
        self._shelf = shelf
        self._folder = ObservationFolder(settings.observations)
        self._counts = Observations()
        self._lock = threading.Lock()
        self._changed = False
        self._bins: dict[str, dict[str, Distribution]] = {}
        self._waiting: queue.Queue[_Sampled] = queue.Queue(settings.challenger_max_waiting)
        self._challenger: Scorer | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> "Observer":
        """Begin to write counts, and load the challenger."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Write the last counts; what waits for the challenger is left."""
        self._closing.set()
        self._thread.join()

    def saw(
        self,
        scorer: Scorer,
        questions: Sequence[tuple[ScoreRequest, Claims | None]],
        answers: Sequence[ScoreAnswer],
    ) -> None:
        """Count answers of one scorer, and put a sample of them before the challenger."""
        day = _today()
        with self._lock:
            self._count(day, scorer, answers)
            self._changed = True
            if self._challenger is None or self._challenger.version == scorer.version:
                return
            for (request, registered), answer in zip(questions, answers, strict=True):
                if random.random() < self._settings.challenger_share:
                    try:
                        self._waiting.put_nowait(_Sampled(request, registered, answer))
                    except queue.Full:
                        self._comparison(day, scorer.version, self._challenger.version).left_out += 1

    def recent(self) -> Observations:
        """Return what all workers that share the folder counted, of today and yesterday at least."""
        others = self._folder.others(_RECENT_S)
        with self._lock:
            own = self._counts.model_copy(deep=True)
        return added([own, *others])

    def _count(self, day: str, scorer: Scorer, answers: Sequence[ScoreAnswer]) -> None:
        of_day = self._counts.scores.setdefault(day, {})
        counts = of_day.get(scorer.version)
        if counts is None:
            counts = of_day[scorer.version] = ScoreCounts()
        bins = self._bins_of(scorer)
        for answer in answers:
            counts.comments += 1
            language = answer.language
            if language not in counts.languages and len(counts.languages) >= _MOST_LANGUAGES:
                language = _OTHER
            counts.languages[language] = counts.languages.get(language, 0) + 1
            if answer.civility is None or language != ENGLISH:
                continue
            for name, score in answer.civility.attributes.items():
                distribution = bins[name]
                of_name = counts.attributes.setdefault(name, [0] * len(distribution.shares))
                of_name[distribution.bin_of(score)] += 1

    def _bins_of(self, scorer: Scorer) -> dict[str, Distribution]:
        if scorer.version not in self._bins:
            self._bins[scorer.version] = bins_of(scorer.bundle.manifest)
        return self._bins[scorer.version]

    def _comparison(self, day: str, champion: str, challenger: str) -> Comparison:
        of_champion = self._counts.shadow.setdefault(day, {}).setdefault(champion, {})
        return of_champion.setdefault(challenger, Comparison())

    def _run(self) -> None:
        self._folder.forget(self._settings.observations_days)
        self._load_challenger()
        written = time.monotonic()
        while not self._closing.is_set():
            rest = 0.0
            if portion := self._portion(until=written + _WRITE_EVERY_S):
                began = time.monotonic()
                self._let_challenger_score(portion)
                rest = _REST * (time.monotonic() - began)
            if time.monotonic() >= written + _WRITE_EVERY_S:
                self._write()
                written = time.monotonic()
            self._closing.wait(rest)
        self._write()

    def _load_challenger(self) -> None:
        version = self._settings.challenger
        if version is None:
            return
        try:
            self._challenger = self._shelf.opened(version)
            _log.info("model %s is the challenger", version)
        except (NotFoundError, BundleError) as error:
            self.problem = f"{version} is refused ({type(error).__name__}); the log says why"
            _log.error("the challenger %s cannot be used: %s", version, error)

    def _portion(self, until: float) -> list[_Sampled]:
        """Return what waits for the challenger, or nothing once it is time to write or to close."""
        while not self._closing.is_set() and (left := until - time.monotonic()) > 0:
            try:
                portion = [self._waiting.get(timeout=min(left, 0.1))]
            except queue.Empty:
                continue
            while len(portion) < _PORTION and not self._waiting.empty():
                portion.append(self._waiting.get_nowait())
            return portion
        return []

    def _let_challenger_score(self, portion: Sequence[_Sampled]) -> None:
        challenger = self._challenger
        if challenger is None:
            return
        requests = [one.request.model_copy(update={"explain": False}) for one in portion]
        registered = {i: one.registered for i, one in enumerate(portion) if one.registered is not None}
        answers: list[ScoreAnswer] | None = None
        try:
            answers = challenger.score(requests, registered=registered)
        except Exception as error:
            log_failure(error, None)
        day = _today()
        with self._lock:
            self._changed = True
            for i, one in enumerate(portion):
                comparison = self._comparison(day, one.answer.model, challenger.version)
                if answers is None:
                    comparison.failed += 1
                else:
                    compare(comparison, one.answer, answers[i])

    def _write(self) -> None:
        with self._lock:
            if not self._changed:
                return
            first = (_date() - datetime.timedelta(days=self._settings.observations_days)).isoformat()
            for days in (self._counts.scores, self._counts.shadow):
                for day in [day for day in days if day < first]:
                    del days[day]
            copy = self._counts.model_copy(deep=True)
            self._changed = False
        self._folder.write(copy)


def bins_of(manifest: Manifest) -> dict[str, Distribution]:
    """Return attribute → the bins that its scores are counted in: the reference's, or even ones."""
    try:
        reference = DriftReference.of(manifest.version, manifest.metrics)
    except ManifestError as error:
        _log.error("%s", error)
        reference = None
    scores = reference.scores if reference is not None else {}
    return {name: scores.get(name, _EVEN_BINS) for name in ATTRIBUTES}


def _date() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _today() -> str:
    return _date().isoformat()
