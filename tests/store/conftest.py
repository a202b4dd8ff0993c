"""A store on each database: every test that asks for one runs on SQLite and on PostgreSQL."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.store import Store
from app.store.comments import StoredComment
from app.store.naming import digest_of

BEGIN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)  # a Monday


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.sqlite3'}"
        return
    server, name = request.getfixturevalue("postgres"), f"test_{uuid.uuid4().hex}"
    yield server.new_database(name)
    server.drop_database(name)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url, timeout_s=30)
    yield store
    store.close()


@pytest.fixture
def comment() -> Callable[..., StoredComment]:
    """Make a stored comment; `hour` counts from Monday, 2 November 2026, 9:30 UTC."""

    def make(
        text: str = "Well said.", hour: int = 0, toxicity: float | None = 0.1, **more: Any
    ) -> StoredComment:
        known: dict[str, Any] = {
            "digest": digest_of(text),
            "text": text,
            "language": "en",
            "model": "2026.2.0",
            "action": "approve",
            "civility": None if toxicity is None else {"TOXICITY": toxicity},
            "scored": BEGIN + timedelta(hours=hour),
        }
        return StoredComment(**known | more)

    return make


@pytest.fixture(scope="session")
def server(serve: Any) -> Iterator[Any]:
    """A running service that the tests share."""
    with serve(database_timeout_s=30) as running:
        yield running
