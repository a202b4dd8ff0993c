"""The store's database, for commands that work on it directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.store.database import Database

__all__ = ["open_database"]

_TIMEOUT_S = 60.0


@contextmanager
def open_database() -> "Iterator[Database]":
    """Open the database that the settings name, with the patience of somebody who waits for a command."""
    from app.settings import load_settings
    from app.store.address import database_url
    from app.store.database import Database

    database = Database(database_url(load_settings()), timeout_s=_TIMEOUT_S)
    try:
        yield database
    finally:
        database.close()
