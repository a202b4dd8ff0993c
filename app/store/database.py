"""The one door to the database: connections, transactions, the schema at its newest version.

Everything here blocks and is safe for use by several threads.
"""

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from app.errors import SettingsError, StoreDownError, StoreError
from app.store.migrations import upgrade

__all__ = ["Database"]

_INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_DOWN = (OperationalError, InterfaceError, PoolTimeoutError)
_SCHEMA_LOCK = 7_210_417_355  # any number, the same in every process that brings the schema up to date


class Database:
    """A SQLite or PostgreSQL database. Its tables are made, or brought up to date, at the first use.

    Args:
        url: SQLAlchemy URL.
        timeout_s: how long, in seconds, SQLite waits for another writer, and PostgreSQL may take to
            connect (in whole seconds, rounded up) and for a statement.

    Raises:
        SettingsError: the URL names no database that is supported here.
    """

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        self._engine = _engine(url, timeout_s)
        self._timeout_s = timeout_s
        self.refuses_to_write = False
        """Whether the last transaction that writes failed: the disk is full, or must not be written."""
        self._prepared = False
        self._preparing = threading.Lock()

    @property
    def dialect(self) -> str:
        """Either "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @property
    def place(self) -> str:
        """The URL without the password."""
        return self._engine.url.render_as_string(hide_password=True)

    def insert(self, table: type) -> Any:
        """Return an INSERT that knows `on_conflict_do_update`."""
        return _INSERTS[self.dialect](table)

    def check(self) -> None:
        """Reach the database.

        Raises:
            StoreDownError: it cannot be reached, or takes too long.
            StoreError: it refuses.
        """
        with self.begin() as connection:
            connection.execute(select(1))

    @contextmanager
    def begin(self, *, write: bool = False) -> Iterator[Connection]:
        """Open a transaction; it is committed, and on the disk, when the context ends without an error.

        Args:
            write: whether it writes. SQLite then takes its turn at once, and not in the middle.

        Raises:
            StoreDownError: the database cannot be reached, or takes too long.
            StoreError: it refuses.
        """
        try:
            self._prepare()
            with self._transaction(write) as connection:
                yield connection
            self.refuses_to_write = self.refuses_to_write and not write
        except SQLAlchemyError as error:
            self.refuses_to_write = self.refuses_to_write or (write and isinstance(error, _DOWN))
            cause = getattr(error, "orig", None) or type(error).__name__
            kind = StoreDownError if isinstance(error, _DOWN) else StoreError
            raise kind(f"the database {self.place} does not answer: {cause}") from None

    def tidy(self) -> None:
        """Make SQLite move what its log holds into the file, so that nothing deleted is left in the log.

        Raises:
            StoreDownError: the database cannot be reached, or takes too long.
        """
        if self.dialect == "sqlite":
            with self.begin():
                pass
            raw = self._engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, write: bool) -> Iterator[Connection]:
        with (
            self._engine.connect() as connection,
            connection.execution_options(immediate=write).begin(),
        ):
            yield connection

    def _prepare(self) -> None:
        if self._prepared:
            return
        if not self._preparing.acquire(timeout=self._timeout_s):
            raise StoreDownError(f"the database {self.place} is still being prepared")
        try:
            if not self._prepared:
                _make_private(self._engine.url)
                with self._transaction(write=True) as connection:
                    if self.dialect == "postgresql":
                        connection.execute(text(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})"))
                        _let_it_take_long(connection, lock_s=self._timeout_s)
                    upgrade(connection)
                self._prepared = True
        except CommandError as error:
            raise StoreError(f"the database {self.place} is not of this version: {error}") from None
        finally:
            self._preparing.release()


def _let_it_take_long(connection: Connection, *, lock_s: float) -> None:
    # An index of a large table takes its time; but who waits for a lock holds up all who come after.
    connection.execute(text(f"SET LOCAL lock_timeout = {math.ceil(lock_s * 1_000)}"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))


def _make_private(url: URL) -> None:
    # Readers' texts are nobody else's to read; SQLite gives its log the same rights as the file.
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"} and not url.query:
        with suppress(OSError):  # told better by the connection that follows
            os.close(os.open(str(url.database), os.O_RDWR | os.O_CREAT, 0o600))


def _engine(url: str, timeout_s: float) -> Engine:
    variable = "COUNTERPOINT_DATABASE_URL"
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in _INSERTS:
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
        # Where the other machine is gone without a word, an answer would be waited for until for ever.
        "tcp_user_timeout": math.ceil(timeout_s * 2_000),
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
    def _set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver opens no transaction by itself; `_open` does
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # what is committed outlives a power cut
        connection.execute("PRAGMA secure_delete=ON")  # what is pruned is gone from the file

    @event.listens_for(engine, "begin")
    def _open(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
