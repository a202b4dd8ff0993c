"""The heads of the articles that comments come for, made when first asked for, and anew as labels come."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from app.adaptation.learning import MOST_COMMENTS, AdaptedStance, learn
from app.errors import StoreError
from app.ops.logging import log_failure
from app.scorer import Scorer
from app.store import Store
from app.store.stances import ArticleName

__all__ = ["NOTHING_ADAPTED", "StanceAdapter"]

NOTHING_ADAPTED: Mapping[str, AdaptedStance] = MappingProxyType({})

_log = logging.getLogger("counterpoint.adaptation")
_CHECK_S = 2.0
_OVERLAP = timedelta(seconds=60)  # clocks of replicas differ, and an opinion is there later than its time
_ANEW_S = 600.0  # what import and prune changed is seen by then
_MOST_OPINIONS = 1_000
_AskStore = Callable[..., Awaitable[Any]]


class _Place(NamedTuple):
    version: str
    article: ArticleName
    premise: str


class _Known(NamedTuple):
    head: "asyncio.Future[AdaptedStance | None]"
    made: float


class _Labelled:
    """The articles of whose comments somebody told a stance."""

    def __init__(self, articles: Iterable[ArticleName]) -> None:
        self.read = time.monotonic()
        self._names: set[str | None] = set()
        self.add(articles)

    def add(self, articles: Iterable[ArticleName]) -> None:
        self._names.update(name for article in articles for name in article)
        self._names.discard(None)

    def knows(self, article: ArticleName) -> bool:
        return article.id in self._names or article.url in self._names


class StanceAdapter:
    """Gives the head of an article, the same in every worker that sees the same labels.

    The first comment of an article that has labels waits until they are read; other comments never
    wait. New labels are looked for every two seconds.

    Args:
        current: gives the scorer in use; heads for another are forgotten.
        store: where labels are.
        ask_store: calls a method of the store in a worker thread; raises `StoreError`.
        most: premises of articles that are remembered.
    """

    def __init__(
        self, current: Callable[[], Scorer], store: Store, ask_store: _AskStore, *, most: int
    ) -> None:
        self._current = current
        self._store = store
        self._ask_store = ask_store
        self._most = most
        self._known: OrderedDict[_Place, _Known] = OrderedDict()
        self._labelled: _Labelled | None = None
        self._seen: dict[ArticleName, tuple[int, str]] = {}
        self._learner = ThreadPoolExecutor(1, thread_name_prefix="adaptation")

    async def adapted(
        self, scorer: Scorer, article: ArticleName, premises: Sequence[str]
    ) -> Mapping[str, AdaptedStance]:
        """Return premise → head for the premises of an article that have one.

        Raises:
            StoreError: the labels cannot be read, and were not before.
        """
        if self._labelled is None:
            self._labelled = await self._read_labelled()
        if not self._labelled.knows(article):
            return NOTHING_ADAPTED
        found = {}
        for premise in premises:
            head = await self._head(scorer, _Place(scorer.version, article, premise))
            if head is not None:
                found[premise] = head
        return found

    async def follow(self) -> None:
        """Make heads anew as their labels change, until cancelled."""
        try:
            while True:
                await asyncio.sleep(_CHECK_S)
                try:
                    await self._check()
                except StoreError as error:
                    _log.warning("%s; stances go on with the labels known", error)
                except Exception as error:
                    log_failure(error, None)
        finally:
            self._learner.shutdown(wait=False, cancel_futures=True)

    async def _head(self, scorer: Scorer, place: _Place) -> AdaptedStance | None:
        known = self._known.get(place)
        if known is None:
            known = self._remember(place, asyncio.ensure_future(self._learn(scorer, place)))
        self._known.move_to_end(place)
        if known.head.done() and known.head.exception() is None:
            return known.head.result()
        try:
            # Shielded, since others wait for the same head, and one of them may go away.
            return await asyncio.shield(known.head)
        except BaseException:
            if known.head.done() and self._known.get(place) is known:
                del self._known[place]
            raise

    def _remember(self, place: _Place, head: "asyncio.Future[AdaptedStance | None]") -> _Known:
        known = self._known[place] = _Known(head, time.monotonic())
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return known

    async def _learn(self, scorer: Scorer, place: _Place) -> AdaptedStance | None:
        read = partial(
            self._store.stances.towards,
            place.article,
            place.premise,
            most=_MOST_OPINIONS,
            most_a_source=MOST_COMMENTS,
        )
        opinions = await self._ask_store(read)
        if not opinions:
            return None
        teach = partial(learn, scorer.bundle.stance, scorer.version, place.premise, opinions)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._learner, teach)
        except Exception as error:  # scoring goes on with the general model
            log_failure(error, None)
            return None

    async def _read_labelled(self) -> "_Labelled":
        labelled = await self._ask_store(self._store.stances.touched, datetime.min.replace(tzinfo=UTC))
        return _Labelled(labelled)

    async def _check(self) -> None:
        scorer = self._current()
        for place in [place for place in self._known if place.version != scorer.version]:
            del self._known[place]
        touched: dict[ArticleName, tuple[int, str]] = await self._ask_store(
            self._store.stances.touched, datetime.now(UTC) - _OVERLAP
        )
        changed = [article for article, mark in touched.items() if self._seen.get(article) != mark]
        old = time.monotonic() - _ANEW_S
        if self._labelled is None or self._labelled.read < old:
            self._labelled = await self._read_labelled()
        self._labelled.add(touched)
        for place, known in list(self._known.items()):
            if known.made < old or any(_is_same(place.article, article) for article in changed):
                head = await self._learn(scorer, place)
                if place in self._known:
                    made = asyncio.get_running_loop().create_future()
                    made.set_result(head)
                    self._known[place] = _Known(made, time.monotonic())
        self._seen = touched


def _is_same(asked: ArticleName, labelled: ArticleName) -> bool:
    if asked.id is None or labelled.id is None:
        return asked.url is not None and asked.url == labelled.url
    return asked.id == labelled.id
