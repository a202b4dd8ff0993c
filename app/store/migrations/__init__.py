"""The schema, step by step (Alembic)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

__all__ = ["migrations_config", "upgrade"]


def migrations_config(connection: Connection) -> Config:
    """Return what Alembic's commands need to work on a connection."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def upgrade(connection: Connection) -> None:
    """Bring the schema to its newest version, in the connection's own transaction.

    Raises:
        CommandError: the database is at a version that is not known here.
    """
    command.upgrade(migrations_config(connection), "head")
