"""The running service: the model in use, its micro-batches, and what it stores."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, NamedTuple, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from app.access.access import Access
from app.adaptation.adapter import NOTHING_ADAPTED, StanceAdapter
from app.adaptation.learning import AdaptedStance
from app.batching import MicroBatcher
from app.errors import StoreDownError, StoreError
from app.keeping import CommentKeeper, what_to_keep
from app.limits.admission import Admission
from app.limits.rates import RateLimiter
from app.observing.observer import Observer
from app.ops.draining import Draining
from app.ops.instruments import Instruments
from app.ops.logging import log_failure
from app.ops.telemetry import Tracing
from app.premise import find_premises, given_claims
from app.schemas import Article, Claims, ScoreAnswer, ScoreRequest
from app.scorer import Scorer
from app.settings import Settings
from app.shelf import ModelShelf, return_freed_memory
from app.store import Store
from app.store.address import database_url
from app.store.comments import StoredComment
from app.store.stances import ArticleName

__all__ = ["CurrentService", "Question", "Service"]

_Value = TypeVar("_Value")
_log = logging.getLogger("counterpoint.service")
_STORE_THREADS = 8
_STORE_REST_S = 5.0
_WATCH_S = 1.0


class Question(NamedTuple):
    """A request, the claim or claims registered for its article, and the scorer in use when it came.

    `adapted` has the heads of its article by premise.
    `part` says that it is a part of a comment that is asked about as a whole too, and is not counted.
    """

    request: ScoreRequest
    registered: Claims | None
    scorer: Scorer
    adapted: Mapping[str, AdaptedStance] = NOTHING_ADAPTED
    part: bool = False


class Service:
    """Answers requests. Open it with `open` before asking.

    Raises:
        CounterpointError: the bundle or a setting is wrong; the message is for the operator.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.instruments = Instruments()
        self.draining = Draining(settings.drain_s)
        self.tracing = Tracing(settings)
        self.shelf = ModelShelf(settings)
        self.observing = Observer(settings, self.shelf)
        self.store = Store(database_url(settings), timeout_s=settings.database_timeout_s)
        self.access = Access(settings, self.store.keys, self.ask_store)
        self._keeper = CommentKeeper(self._keep_comments)
        self.batcher: MicroBatcher[Question, ScoreAnswer] = MicroBatcher(
            lambda: self._score,
            size=settings.micro_batch_size,
            wait_ms=settings.micro_batch_wait_ms,
            budget_ms=settings.micro_batch_budget_ms,
            max_waiting=settings.max_waiting,
            taken=self.instruments.waited,
            deadline_s=settings.deadline_s,
        )
        self.admission = Admission(
            goal_s=None if settings.overload_latency_ms is None else settings.overload_latency_ms / 1_000,
            bulk_wait=lambda: self.batcher.bulk_wait_s,
            most_bulk_wait_s=settings.deadline_s,
            refused=self.instruments.turned_away,
        )
        redis = settings.redis_url
        self.rates = RateLimiter(
            None if redis is None else redis.get_secret_value(), timeout_s=settings.redis_timeout_ms / 1_000
        )
        self._adapter = (
            StanceAdapter(
                lambda: self.shelf.scorer, self.store, self.ask_store, most=settings.adaptation_remembered
            )
            if settings.adaptation
            else None
        )
        self._store_threads = CapacityLimiter(_STORE_THREADS)
        self._store_rests_until = 0.0
        self._store_is_down = False
        self._version_noted: str | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve until the context ends; what is waiting then is still answered."""
        try:
            await to_thread.run_sync(self.store.check)  # with all the time that making the tables takes
        except StoreError as error:
            _log.error("%s; scoring goes on without registered premises", error)
            self._store_is_down = True
        await self.access.start()
        tasks = [
            asyncio.create_task(self._follow_releases()),
            asyncio.create_task(self._watch()),
            asyncio.create_task(self.access.follow()),
        ]
        if self._adapter is not None:
            tasks.append(asyncio.create_task(self._adapter.follow(), name="adaptation"))
        try:
            async with self.batcher:
                with self.observing, self.draining.on_sigterm():
                    yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.access.close()
            self.store.close()
            await self.rates.close()
            await to_thread.run_sync(self.tracing.close)

    async def answer(
        self, request: ScoreRequest, *, bulk: bool = False, scorer: Scorer | None = None
    ) -> ScoreAnswer:
        """Score one comment, in a micro-batch with whatever else comes now.

        Args:
            request: the comment.
            bulk: whether it is one of many, and gives way to single ones.
            scorer: what scores; by default the one in use now. An answer that is made up of several names
                one, so that it comes from one version even where another is activated meanwhile.

        Raises:
            BusyError: too many single comments wait.
            TookTooLongError: the deadline has passed.
            ScorerClosedError: the service is closing.
        """
        [question] = await self._questions([request], scorer)
        with self.tracing.span("score", comments=1, model=question.scorer.version):
            answer = await self.batcher.submit(question, bulk=bulk)
        return (await self._kept([request], [answer]))[0]

    async def answer_many(
        self, requests: Sequence[ScoreRequest], *, scorer: Scorer | None = None, parts: bool = False
    ) -> list[ScoreAnswer | BaseException]:
        """Score many comments by one version, in order, an exception in the place of each that failed.

        Args:
            requests: the comments.
            scorer: what scores; by default the one in use now.
            parts: whether they are parts of a comment that is scored as a whole too, and is counted once.
        """
        questions = await self._questions(requests, scorer)
        model = questions[0].scorer.version if questions else ""
        with self.tracing.span("score", comments=len(questions), model=model):
            answers = await self.batcher.submit_many([one._replace(part=parts) for one in questions])
        scored = {i: answer for i, answer in enumerate(answers) if isinstance(answer, ScoreAnswer)}
        kept = await self._kept([requests[i] for i in scored], list(scored.values()))
        told = dict(zip(scored, kept, strict=True))
        return [told.get(i, answer) for i, answer in enumerate(answers)]

    async def ask_store(self, ask: Callable[..., _Value], *args: Any) -> _Value:
        """Call a method of the store in a worker thread.

        Raises:
            StoreError: the database fails or takes too long.
        """
        began = time.perf_counter()
        try:
            with self.tracing.span("store"):
                value = await self._ask_in_time(ask, *args)
        except StoreError as error:
            self._store_is_down = isinstance(error, StoreDownError)
            outcome = "down" if self._store_is_down else "failed"
            self.instruments.asked_store(outcome, time.perf_counter() - began)
            raise
        self._store_is_down = False
        self._store_rests_until = 0.0
        self.instruments.asked_store("ok", time.perf_counter() - began)
        return value

    async def _ask_in_time(self, ask: Callable[..., _Value], *args: Any) -> _Value:
        limit = self.settings.database_timeout_s
        try:
            with anyio.fail_after(limit):
                return await to_thread.run_sync(
                    ask, *args, abandon_on_cancel=True, limiter=self._store_threads
                )
        except TimeoutError:
            raise StoreDownError(f"the database does not answer within {limit:g} s") from None

    def note_state(self) -> None:
        """Bring the gauges up to date."""
        self.instruments.queued(*self.batcher.waiting)
        self.instruments.admitted(self.admission.limit, self.admission.in_flight)
        self.instruments.redis_down(self.rates.is_down)
        self.instruments.draining(self.draining.begun)
        self.instruments.measure_memory()
        self.instruments.refused("active", self.shelf.problem is not None)
        self.instruments.refused("challenger", self.observing.problem is not None)
        version = self.shelf.scorer.version
        if version != self._version_noted:
            self.instruments.using(version, self._version_noted)
            self._version_noted = version

    def _score(self, questions: Sequence[Question]) -> list[ScoreAnswer]:
        began, answers = time.perf_counter(), dict[int, ScoreAnswer]()
        # As a rule there is one scorer; while another version is being put to use there may be two.
        for scorer in dict.fromkeys(question.scorer for question in questions):
            places = [i for i, question in enumerate(questions) if question.scorer is scorer]
            asked = [questions[i] for i in places]
            stages = scorer.stages.copy()
            given = _scored(scorer, asked)
            self.instruments.judged(scorer.stages - stages)
            answers |= zip(places, given, strict=True)
            whole = [(q, answer) for q, answer in zip(asked, given, strict=True) if not q.part]
            told = [answer for _, answer in whole]
            self.observing.saw(scorer, [(q.request, q.registered) for q, _ in whole], told)
            self.instruments.scored(told)
        self.instruments.micro_batch(len(questions), time.perf_counter() - began)
        return [answers[i] for i in range(len(questions))]

    async def _follow_releases(self) -> None:
        while True:
            await asyncio.sleep(self.settings.release_check_s)
            try:
                await to_thread.run_sync(self.shelf.follow)
            except Exception as error:
                log_failure(error, None)

    async def _watch(self) -> None:
        using = self.shelf.scorer.version
        while True:
            self.note_state()
            if self.shelf.scorer.version != using:
                using = self.shelf.scorer.version
                await asyncio.sleep(_WATCH_S)  # what was in flight holds on to the version before
                await to_thread.run_sync(return_freed_memory)
            if self._store_is_down and time.monotonic() >= self._store_rests_until:
                try:
                    await self.ask_store(self.store.check)
                except StoreError as error:
                    self._let_rest(error)
            await asyncio.sleep(_WATCH_S)

    async def _questions(self, requests: Sequence[ScoreRequest], scorer: Scorer | None) -> list[Question]:
        scorer = scorer or self.shelf.scorer
        articles = [request.article for request in requests]
        asking = [article for article in articles if article is not None and not given_claims(article)]
        ids = {article.id for article in asking if article.id is not None}
        urls = {article.url for article in asking if article.url is not None}
        by_id, by_url = await self._registered(ids, urls)
        questions = []
        for request, article in zip(requests, articles, strict=True):
            named = article or Article()
            registered = by_id.get(named.id or "") or by_url.get(named.url or "")
            adapted = await self._adapted(scorer, named, registered)
            questions.append(Question(request, registered, scorer, adapted))
        return questions

    async def _adapted(
        self, scorer: Scorer, article: Article, registered: Claims | None
    ) -> Mapping[str, AdaptedStance]:
        if self._adapter is None or not (article.id or article.url):
            return NOTHING_ADAPTED
        premises = [premise.text for premise in find_premises(article, registered)]
        try:
            return await self._adapter.adapted(scorer, ArticleName(article.id, article.url), premises)
        except StoreError as error:
            self._let_rest(error)
            _log.warning("%s; scoring goes on without adaptation", error)
            return NOTHING_ADAPTED

    async def _registered(self, ids: set[str], urls: set[str]) -> tuple[dict[str, Claims], dict[str, Claims]]:
        # A failing database is left alone for a while: comments must not queue up behind its timeouts.
        if not (ids or urls) or time.monotonic() < self._store_rests_until:
            return {}, {}
        try:
            return await self.ask_store(self.store.articles.premises, ids, urls)
        except StoreError as error:
            self._let_rest(error)
            _log.warning("%s; scoring goes on without registered premises", error)
            return {}, {}

    async def _kept(
        self, requests: Sequence[ScoreRequest], answers: Sequence[ScoreAnswer]
    ) -> list[ScoreAnswer]:
        """Store what may be stored; the answers say what was."""
        most = self.settings.store_comments
        pairs = zip(requests, answers, strict=True)
        keeping = [what_to_keep(request, answer, most) for request, answer in pairs]
        wanted = [comment for comment in keeping if comment is not None]
        kept = await self._keeper.keep(wanted)
        self.instruments.stored(len(wanted), kept)
        return [
            answer
            if request.store is None
            else answer.model_copy(update={"stored": _stored_as(comment) if kept else "no"})
            for request, answer, comment in zip(requests, answers, keeping, strict=True)
        ]

    async def _keep_comments(self, comments: Sequence[StoredComment]) -> None:
        if time.monotonic() < self._store_rests_until:
            raise StoreDownError("the database did not answer a moment ago")
        try:
            await self.ask_store(self.store.comments.keep, comments)
        except StoreError as error:
            self._let_rest(error)
            raise

    def _let_rest(self, error: StoreError) -> None:
        if isinstance(error, StoreDownError):
            self._store_rests_until = time.monotonic() + _STORE_REST_S


def _stored_as(comment: StoredComment | None) -> str:
    return "no" if comment is None else "digest" if comment.text is None else "text"


def _scored(scorer: Scorer, questions: Sequence[Question]) -> list[ScoreAnswer]:
    registered = {i: q.registered for i, q in enumerate(questions) if q.registered is not None}
    adapted = {i: q.adapted for i, q in enumerate(questions) if q.adapted}
    return scorer.score([question.request for question in questions], registered=registered, adapted=adapted)


def _of_request(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


CurrentService = Annotated[Service, Depends(_of_request)]
"""The service as a parameter of a route."""
