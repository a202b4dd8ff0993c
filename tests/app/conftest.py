"""A real service on a free loopback port, as a client meets it."""

from collections.abc import Iterator

import httpx
import pytest

from app.service import Service
from tests.support.serving import Running, Serve


@pytest.fixture(scope="session")
def server(serve: Serve) -> Iterator[Running]:
    with serve() as running:
        yield running


@pytest.fixture(scope="session")
def service(server: Running) -> Service:
    return server.service


@pytest.fixture(scope="session")
def server_url(server: Running) -> str:
    return server.url


@pytest.fixture(scope="session")
def http(server_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server_url, timeout=60, trust_env=False) as client:
        yield client
