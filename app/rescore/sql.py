"""The rows of a SQL query, a few in memory at a time."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.rescore.errors import ArchiveError
from app.rescore.reading import LINE
from app.rescore.scratch import Record

__all__ = ["read_query", "shown_url"]

_ROWS_AT_ONCE = 1_000


def shown_url(url: str) -> str:
    """Return a database's URL without its password.

    Raises:
        ArchiveError: it is none.
    """
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        raise ArchiveError(
            "--sql is not a URL such as postgresql+psycopg://user:password@host/name"
        ) from None


def read_query(url: str, query: str) -> Iterator[Record]:
    """Yield the rows of a query, columns by their names; nothing is committed.

    Raises:
        ArchiveError: the database does not answer, or refuses the query.
    """
    shown = shown_url(url)
    try:
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            # A % in the query is no placeholder.
            streaming = connection.execution_options(
                stream_results=True, max_row_buffer=_ROWS_AT_ONCE, no_parameters=True
            )
            for number, row in enumerate(streaming.exec_driver_sql(query).mappings(), start=1):
                yield {LINE: number, **{name: _plain(value) for name, value in row.items()}}
    except (SQLAlchemyError, ImportError) as error:
        # The driver's message may quote what a row holds; the first line names what is wrong.
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise ArchiveError(f"the query at {shown} failed: {reason}") from None


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool | dict | list) else str(value)
