"""A store on each database: every test that asks for one runs on SQLite and on PostgreSQL."""

import importlib.util
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.store import Store
from app.store.comments import StoredComment
from app.store.naming import digest_of

TESTS = Path(__file__).parents[1]
BEGIN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)  # a Monday


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"store_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_app = _load(TESTS / "app" / "conftest.py")
_postgres = _load(TESTS / "postgres.py")
make_settings, serve = _app.make_settings, _app.serve


@pytest.fixture
def own_postgres() -> Iterator[Any]:
    """A PostgreSQL server that the test may kill."""
    server = _postgres.PostgresServer()
    try:
        yield server.start()
    finally:
        server.close()


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
