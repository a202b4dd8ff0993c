"""Fixtures of PostgreSQL: one server for all, or a server of the test's own."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server."""
    with closing(PostgresServer()) as server:
        yield server.start()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the test may kill."""
    with closing(PostgresServer()) as server:
        yield server.start()
