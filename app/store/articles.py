"""Registered premises.

Every method blocks and is safe for use by several threads; the service calls them in worker threads.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from app.schemas import ArticleRecord, ArticleRegistration
from app.store.database import Database
from app.store.tables import Article

__all__ = ["ArticleStore"]


class ArticleStore:
    """Articles by id.

    Every method raises `StoreDownError` where the database cannot be reached or takes too long, and
    `StoreError` where it refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, article_id: str, registration: ArticleRegistration) -> bool:
        """Register or replace an article; return whether it is new."""
        values = {
            "premise": registration.premise,
            "url": registration.url,
            "title": registration.title,
            "updated": datetime.now(UTC),
        }
        insert = self._database.insert(Article).values(id=article_id, **values)
        with self._database.begin(write=True) as connection:
            known = connection.scalar(select(Article.id).where(Article.id == article_id))
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
        return known is None

    def get(self, article_id: str) -> ArticleRecord | None:
        """Return an article, or None."""
        columns = Article.id, Article.premise, Article.url, Article.title
        with self._database.begin() as connection:
            row = connection.execute(select(*columns).where(Article.id == article_id)).one_or_none()
        return None if row is None else ArticleRecord(**row._asdict())

    def delete(self, article_id: str) -> bool:
        """Forget an article; return whether there was one."""
        with self._database.begin(write=True) as connection:
            return connection.execute(delete(Article).where(Article.id == article_id)).rowcount > 0

    def premises(self, ids: Collection[str], urls: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the registered premises by id, and by URL (of several, the last one registered)."""
        by_id = select(Article.id, Article.premise).where(Article.id.in_(ids))
        by_url = select(Article.url, Article.premise).where(Article.url.in_(urls)).order_by(Article.updated)
        with self._database.begin() as connection:
            return _pairs(connection, by_id) if ids else {}, _pairs(connection, by_url) if urls else {}


def _pairs(connection: Connection, query: Any) -> dict[str, str]:
    return {key: premise for key, premise in connection.execute(query)}
