"""Registered premises, in SQLite or PostgreSQL.

Every method blocks and is safe for use by several threads; the service calls them in worker threads.
"""

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, String, Text, create_engine, delete, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import QueuePool

from app.errors import SettingsError, StoreDownError, StoreError
from app.schemas import ArticleRecord, ArticleRegistration

__all__ = ["ArticleStore"]

_UPSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_DOWN = (OperationalError, InterfaceError, PoolTimeoutError)


class _Base(DeclarativeBase):
    pass


class _Article(_Base):
    __tablename__ = "articles"

    id: Mapped[str] = mapped_column(String(256), primary_key=True)
    premise: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(String(2048), index=True)
    title: Mapped[str | None] = mapped_column(Text)
    updated: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ArticleStore:
    """Articles by id. The table is made at the first use that reaches the database.

    Args:
        url: SQLAlchemy URL of a SQLite or PostgreSQL database.
        timeout_s: how long, in seconds, SQLite waits for another writer, and PostgreSQL may take to
            connect (in whole seconds, rounded up) and for a statement.

    Raises:
        SettingsError: the URL names no database that is supported here.
    """

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        self._engine = _engine(url, timeout_s)
        self._upsert = _UPSERTS[self._engine.dialect.name]
        self._prepared = False

    def check(self) -> None:
        """Reach the database.

        Raises:
            StoreDownError: it cannot be reached, or takes too long. So do all other methods.
            StoreError: it refuses. So do all other methods.
        """
        with self._begin() as connection:
            connection.execute(select(1))

    def put(self, article_id: str, registration: ArticleRegistration) -> bool:
        """Register or replace an article; return whether it is new."""
        values = {
            "premise": registration.premise,
            "url": registration.url,
            "title": registration.title,
            "updated": datetime.now(UTC),
        }
        insert = self._upsert(_Article).values(id=article_id, **values)
        with self._begin() as connection:
            known = connection.scalar(select(_Article.id).where(_Article.id == article_id))
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
        return known is None

    def get(self, article_id: str) -> ArticleRecord | None:
        """Return an article, or None."""
        columns = _Article.id, _Article.premise, _Article.url, _Article.title
        with self._begin() as connection:
            row = connection.execute(select(*columns).where(_Article.id == article_id)).one_or_none()
        return None if row is None else ArticleRecord(**row._asdict())

    def delete(self, article_id: str) -> bool:
        """Forget an article; return whether there was one."""
        with self._begin() as connection:
            return connection.execute(delete(_Article).where(_Article.id == article_id)).rowcount > 0

    def premises(self, ids: Collection[str], urls: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the registered premises by id, and by URL (of several, the last one registered)."""
        by_id = select(_Article.id, _Article.premise).where(_Article.id.in_(ids))
        by_url = (
            select(_Article.url, _Article.premise).where(_Article.url.in_(urls)).order_by(_Article.updated)
        )
        with self._begin() as connection:
            return _pairs(connection, by_id) if ids else {}, _pairs(connection, by_url) if urls else {}

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            if not self._prepared:
                _Base.metadata.create_all(self._engine)
                self._prepared = True
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            place = self._engine.url.render_as_string(hide_password=True)
            cause = getattr(error, "orig", None) or type(error).__name__
            kind = StoreDownError if isinstance(error, _DOWN) else StoreError
            raise kind(f"the database {place} does not answer: {cause}") from None


def _pairs(connection: Connection, query: Any) -> dict[str, str]:
    return {key: premise for key, premise in connection.execute(query)}


def _engine(url: str, timeout_s: float) -> Engine:
    variable = "COUNTERPOINT_DATABASE_URL"
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in _UPSERTS:
            raise SettingsError(f"{variable}: {parsed.get_backend_name()} is neither sqlite nor postgresql")
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed, timeout_s)
        return _postgresql_engine(parsed, timeout_s)
    except (ArgumentError, ValueError):
        raise SettingsError(
            f"{variable} is not a SQLAlchemy URL such as sqlite:///counterpoint.sqlite3"
        ) from None
    except ImportError as error:
        raise SettingsError(f"{variable} needs a driver that is not installed: {error.name}") from None


def _postgresql_engine(url: URL, timeout_s: float) -> Engine:
    limits = {
        "connect_timeout": math.ceil(timeout_s),
        "options": f"-c statement_timeout={math.ceil(timeout_s * 1_000)}",
    }
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=timeout_s,
        hide_parameters=True,
        connect_args={name: value for name, value in limits.items() if name not in url.query},
    )


def _sqlite_engine(url: URL, timeout_s: float) -> Engine:
    # A database in memory lives in its one connection, which all threads share in turn.
    in_memory = url.database in {None, "", ":memory:"}
    size = {"pool_size": 1, "max_overflow": 0} if in_memory else {}
    connect = {"check_same_thread": False, "timeout": timeout_s}
    engine = create_engine(url, poolclass=QueuePool, connect_args=connect, hide_parameters=True, **size)

    @event.listens_for(engine, "connect")
    def _use_write_ahead_log(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
