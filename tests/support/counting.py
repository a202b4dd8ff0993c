"""Fixtures of what counts rates: a Valkey server, and minutes that are not nearly over."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.valkey import ValkeyServer

_MOST_S = 55


@pytest.fixture
def early_in_a_minute(until: Callable[..., Any]) -> Callable[..., None]:
    """Wait for the next minute where this one is nearly over: memory counts anew in each."""

    def wait(most_s: float = _MOST_S) -> None:
        until(lambda: time.time() % 60 < most_s)

    return wait


@pytest.fixture
def not_late_in_a_minute(early_in_a_minute: Callable[..., None]) -> None:
    """Begin in a minute that is not nearly over."""
    early_in_a_minute()


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A running Valkey server, which the test may kill."""
    with ValkeyServer() as running:
        yield running
