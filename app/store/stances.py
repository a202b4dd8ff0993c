"""What people said of the stances of an article's comments: the read API of adaptation.

Every method blocks and is safe for use by several threads; the service calls them in worker threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from app.store.database import Database
from app.store.feedback import newest_only
from app.store.naming import storable
from app.store.tables import FeedbackRow

__all__ = ["ArticleName", "StanceOpinion", "StanceReader"]

_MODERATOR = "moderator"


class ArticleName(NamedTuple):
    """An article as callers name it; one of both is known at least."""

    id: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class StanceOpinion:
    """What one source said of the stance of one comment."""

    uid: str
    source: str
    moderator: bool
    digest: str
    """SHA-256 of the comment's text."""
    text: str
    stance: str
    languages: Sequence[str]


class StanceReader:
    """Stances in the feedback.

    Every method raises `StoreDownError` where the database cannot be reached or takes too long, and
    `StoreError` where it refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def towards(
        self, article: ArticleName, premise: str, *, most: int, most_a_source: int
    ) -> list[StanceOpinion]:
        """Return opinions that count on an article's comments, moderators' first, then newest first.

        Args:
            article: by its id; opinions that came with its URL and without an id are its own too.
            premise: what the stances are towards.
            most: most opinions.
            most_a_source: most of one source, the newest, so that none crowds out the others.
        """
        place = func.row_number().over(
            partition_by=FeedbackRow.source, order_by=(FeedbackRow.received.desc(), FeedbackRow.uid.desc())
        )
        wanted = (
            _of_article(article),
            FeedbackRow.premise == storable(premise),
            FeedbackRow.stance.is_not(None),
            FeedbackRow.text.is_not(None),
            newest_only(),
        )
        rows = select(FeedbackRow.__table__, place.label("place")).where(*wanted).subquery().columns
        moderator = case((rows.role == _MODERATOR, 1), else_=0)
        columns = rows.uid, rows.source, rows.digest, rows.text, rows.stance, rows.languages
        query = (
            select(moderator.label("moderator"), *columns)
            .where(rows.place <= most_a_source)
            .order_by(moderator.desc(), rows.received.desc(), rows.uid)
            .limit(most)
        )
        with self._database.begin() as connection:
            return [
                StanceOpinion(**row._asdict() | {"moderator": bool(row.moderator)})
                for row in connection.execute(query)
            ]

    def touched(self, since: datetime) -> dict[ArticleName, tuple[int, str]]:
        """Return the articles with stances received from then on: how many, and the name of one of them."""
        article = FeedbackRow.article_id, FeedbackRow.article_url
        query = (
            select(*article, func.count(), func.max(FeedbackRow.uid))
            .where(FeedbackRow.received >= since, FeedbackRow.stance.is_not(None))
            .group_by(*article)
        )
        with self._database.begin() as connection:
            return {ArticleName(id, url): (count, uid) for id, url, count, uid in connection.execute(query)}


def _of_article(article: ArticleName) -> ColumnElement[bool]:
    if article.id is None:
        return _equal(FeedbackRow.article_url, article.url)
    by_id = _equal(FeedbackRow.article_id, article.id)
    if article.url is None:
        return by_id
    return or_(by_id, and_(FeedbackRow.article_id.is_(None), _equal(FeedbackRow.article_url, article.url)))


def _equal(column: Any, name: str | None) -> ColumnElement[bool]:
    equal: ColumnElement[bool] = column == storable(name or "")
    return equal
