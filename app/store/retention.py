"""Forgetting what is older than it may be."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, select, update

from app.store.database import Database
from app.store.tables import AnsweredRequest, Article, Comment, FeedbackRow

__all__ = ["PRUNABLE", "Prunable", "overview", "prune"]

Prunable = Literal["comments", "feedback", "answered_requests"]
PRUNABLE: dict[Prunable, tuple[Any, Any, Any]] = {
    "comments": (Comment, Comment.key, Comment.scored),
    "feedback": (FeedbackRow, FeedbackRow.uid, FeedbackRow.received),
    "answered_requests": (AnsweredRequest, AnsweredRequest.key, AnsweredRequest.created),
}
"""What grows, with its primary key and its time. Registered articles stay until they are deleted."""

_PORTION = 1_000


def prune(
    database: Database,
    before: datetime,
    kind: Prunable,
    *,
    key_id: str | None = None,
    texts_only: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Forget what came before a moment, in small transactions; return how many rows that were.

    Args:
        database: where from.
        before: what came at this moment or later stays.
        kind: the table.
        key_id: only the feedback that came with this API key; of the other tables nothing.
        texts_only: whether only texts go, and scores, labels and digests stay.
        dry_run: whether to count and to change nothing.
        progress: called with the number of rows after each transaction.

    Raises:
        StoreError: the database fails; what was forgotten until then stays so.
    """
    table, key, moment = PRUNABLE[kind]
    query = select(key).where(moment < before)
    if key_id is not None:
        if kind != "feedback":
            return 0
        query = query.where(FeedbackRow.key_id == key_id)
    if texts_only:
        if kind == "answered_requests":
            return 0
        query = query.where(_has_text(table))
    if dry_run:
        with database.begin() as connection:
            return connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    change = update(table).values(**_without_text(table)) if texts_only else delete(table)
    gone = 0
    while True:
        with database.begin(write=True) as connection:
            keys = list(connection.scalars(query.limit(_PORTION)))
            if keys:
                connection.execute(change.where(key.in_(keys)))
        if not keys:
            break
        gone += len(keys)
        progress(gone)
    database.tidy()
    return gone


def _has_text(table: type) -> Any:
    return Comment.text.is_not(None) if table is Comment else FeedbackRow.text.is_not(None)


def _without_text(table: type) -> dict[str, Any]:
    return {"text": None} if table is Comment else {"text": None, "context": []}


def overview(database: Database) -> dict[str, dict[str, Any]]:
    """Return table → number of rows, times of the oldest and the newest.

    Raises:
        StoreError: the database fails.
    """
    times = {"articles": Article.updated} | {kind: moment for kind, (_, _, moment) in PRUNABLE.items()}
    found: dict[str, dict[str, Any]] = {}
    with database.begin() as connection:
        for name, moment in times.items():
            rows, *ends = connection.execute(select(func.count(), func.min(moment), func.max(moment))).one()
            oldest, newest = (end and end.isoformat(timespec="seconds") for end in ends)
            found[name] = {"rows": rows, "oldest": oldest, "newest": newest}
    return found
