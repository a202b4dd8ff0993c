"""Storing scored comments: what may be kept of one, and keeping many in one transaction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from app.errors import StoreDownError, StoreError
from app.schemas import Article, ScoreAnswer, ScoreRequest
from app.store.comments import StoredComment
from app.store.naming import digest_of

__all__ = ["CommentKeeper", "what_to_keep"]

_log = logging.getLogger("counterpoint.service")
_MOST_TOGETHER = 1_000

_Write = Callable[[Sequence[StoredComment]], Awaitable[None]]


def what_to_keep(request: ScoreRequest, answer: ScoreAnswer, most: str) -> StoredComment | None:
    """Return what is stored of a scored comment, or None.

    Args:
        request: says what its caller allows.
        answer: its scores.
        most: what the settings allow: "text", "digest" or "no".
    """
    if request.store is None or most == "no":
        return None
    article = request.article or Article()
    civility, stance = answer.civility, answer.stance
    return StoredComment(
        digest=digest_of(request.comment.text),
        language=answer.language,
        model=answer.model,
        action=answer.decision.action,
        reasons=[reason.model_dump(exclude_none=True) for reason in answer.decision.reasons],
        id=request.comment.id,
        article_id=article.id,
        article_url=article.url,
        text=request.comment.text if request.store == most == "text" else None,
        premise=None if stance is None else stance.premise,
        civility=None if civility is None else {str(name): p for name, p in civility.attributes.items()},
        # The error rates that a summary is corrected by are the general model's, adapted or not.
        stance=None if stance is None else stance.general_label,
        stance_probabilities=None
        if stance is None
        else {str(name): p for name, p in stance.general_probabilities.items()},
        relevance=None if stance is None else stance.relevance,
    )


class CommentKeeper:
    """Gathers comments while others are being written, so that a transaction serves many requests.

    Args:
        write: keeps comments, all or none; raises `StoreError`.
    """

    def __init__(self, write: _Write) -> None:
        self._write = write
        self._waiting: list[tuple[Sequence[StoredComment], asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, comments: Sequence[StoredComment]) -> bool:
        """Return whether all of them are stored for good; never raises `StoreError`."""
        if not comments:
            return True
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((comments, kept))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await kept

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                taken = self._take()
                together = [comment for comments, _ in taken for comment in comments]
                try:
                    await self._write(together)
                except StoreError as error:
                    await self._write_apart(taken, error)
                except Exception as error:
                    for _, kept in taken:
                        kept.set_exception(error)
                else:
                    _tell(taken, True)
        finally:
            self._writer = None

    async def _write_apart(
        self, taken: list[tuple[Sequence[StoredComment], asyncio.Future[bool]]], error: StoreError
    ) -> None:
        # A comment that the database refuses must not take the others along.
        if isinstance(error, StoreDownError) or len(taken) == 1:
            _log.warning("%s; scored comments are not stored", error)
            _tell(taken, False)
            return
        for comments, kept in taken:
            try:
                await self._write(comments)
            except StoreError as its_own:
                _log.warning("%s; a scored comment is not stored", its_own)
                _tell([(comments, kept)], False)
            else:
                _tell([(comments, kept)], True)

    def _take(self) -> list[tuple[Sequence[StoredComment], asyncio.Future[bool]]]:
        taken, size = [], 0
        while self._waiting and size < _MOST_TOGETHER:
            taken.append(self._waiting.pop(0))
            size += len(taken[-1][0])
        return taken


def _tell(taken: Sequence[tuple[Sequence[StoredComment], asyncio.Future[bool]]], kept: bool) -> None:
    for _, future in taken:
        if not future.done():
            future.set_result(kept)
