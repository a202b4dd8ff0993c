"""A real service that has keys, and ways to make more of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.keys import new_key
from app.access.server_secrets import load_server_secrets
from app.settings import Settings
from app.store import Store
from app.store.keys import StoredKey

SECRET = "the server's secret of the tests, which is long enough".replace(" ", "-")
PATIENCE_S = 60


def add_key(settings: Settings, *scopes: str, **more: Any) -> str:
    """Store a key as `counterpoint keys create` does; gives the key."""
    secrets, given = load_server_secrets(settings), new_key()
    known: dict[str, Any] = {"name": "test", "created": datetime.now(UTC), "requests_a_minute": None}
    store = Store(settings.database_url, timeout_s=30)
    store.keys.add(
        StoredKey(
            id=given.id,
            digest=secrets.digest(given, secrets.newest_tag),
            secret_tag=secrets.newest_tag,
            scopes=list(scopes),
            **(known | more),
        )
    )
    store.close()
    return str(given)


@dataclass(frozen=True)
class Keyed:
    """A running service with one key a scope, and one with all."""

    url: str
    settings: Settings
    service: Any
    score: str
    feedback: str
    admin: str
    every: str

    def add(self, *scopes: str, **more: Any) -> str:
        return add_key(self.settings, *scopes, **more)


@pytest.fixture(scope="session")
def keyed_settings(make_settings: Any) -> Callable[..., Settings]:
    def make(**more: Any) -> Settings:
        settings: Settings = make_settings(
            **{"key_secret": SECRET, "key_check_s": 0.05, "key_use_s": 0.05, "allow_activate": True} | more
        )
        return settings

    return make


@pytest.fixture(scope="session")
def keyed(keyed_settings: Callable[..., Settings], serve: Any) -> Iterator[Keyed]:
    settings = keyed_settings()
    keys = [add_key(settings, scope) for scope in ("score", "feedback", "admin")]
    every = add_key(settings, "score", "feedback", "admin")
    with serve(**settings.model_dump()) as running:
        yield Keyed(running.url, settings, running.service, *keys, every)


@pytest.fixture(scope="session")
def http(keyed: Keyed) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=keyed.url, timeout=PATIENCE_S, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def make_key() -> Callable[..., str]:
    return add_key


@pytest.fixture
def secret_file(environment: dict[str, str], tmp_path: Path) -> Path:
    """Where commands keep the server's secret; ask for it before `invoke`, `run` and `started`."""
    environment["COUNTERPOINT_KEY_SECRET_FILE"] = str(tmp_path / "key-secret")
    return tmp_path / "key-secret"
