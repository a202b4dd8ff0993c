"""Run by Alembic: on the connection it is given, or else on the database that the settings name."""

from alembic import context
from sqlalchemy import Connection, create_engine

from app.store.tables import Base

__all__: list[str] = []


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


_given = context.config.attributes.get("connection")
if _given is not None:
    _run(_given)
else:
    from app.settings import load_settings  # with the models behind it, which takes a moment
    from app.store.address import database_url

    with create_engine(database_url(load_settings())).connect() as _connection:
        _run(_connection)
