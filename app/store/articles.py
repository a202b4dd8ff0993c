"""Registered premises.

Every method blocks and is safe for use by several threads; the service calls them in worker threads.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from app.schemas import ArticleRecord, ArticleRegistration, Claims
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
        claims = registration.premise if isinstance(registration.premise, list) else None
        values = {
            "premise": registration.premise if claims is None else claims[0],
            "claims": claims,
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
        query = select(Article.__table__).where(Article.id == article_id)
        with self._database.begin() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return ArticleRecord(id=row.id, premise=row.claims or row.premise, url=row.url, title=row.title)

    def delete(self, article_id: str) -> bool:
        """Forget an article; return whether there was one."""
        with self._database.begin(write=True) as connection:
            return connection.execute(delete(Article).where(Article.id == article_id)).rowcount > 0

    def premises(
        self, ids: Collection[str], urls: Collection[str]
    ) -> tuple[dict[str, Claims], dict[str, Claims]]:
        """Return what is registered by id, and by URL (of several articles, the last one registered)."""
        columns = Article.premise, Article.claims
        by_id = select(Article.id, *columns).where(Article.id.in_(ids))
        by_url = select(Article.url, *columns).where(Article.url.in_(urls)).order_by(Article.updated)
        with self._database.begin() as connection:
            return _pairs(connection, by_id) if ids else {}, _pairs(connection, by_url) if urls else {}


def _pairs(connection: Connection, query: Any) -> dict[str, Claims]:
    return {key: claims or premise for key, premise, claims in connection.execute(query)}
