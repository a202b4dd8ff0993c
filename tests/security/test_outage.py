"""The keys' database is gone: known keys go on for a while, and nobody else is let in."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app.access.keys import new_key, read_key
from app.settings import Settings
from tests.support.postgres import PostgresServer

Until = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.close()


def status(url: str, key: str) -> httpx.Response:
    return httpx.get(f"{url}/v1/models/2026.2.0", headers={"X-API-Key": key}, timeout=60, trust_env=False)


def test_known_keys_go_on_and_no_other(
    postgres: Any,
    keyed_settings: Callable[..., Settings],
    serve: Any,
    make_key: Callable[..., str],
    until: Until,
) -> None:
    settings = keyed_settings(database_url=postgres.url(), key_outage_s=3_600)
    known, revoked = make_key(settings, "score"), make_key(settings, "score")
    with (
        serve(**settings.model_dump()) as patient,
        serve(**settings.model_dump() | {"key_outage_s": 0}) as impatient,
    ):
        patient.service.store.keys.revoke(read_key(revoked).id)  # type: ignore[union-attr]
        until(lambda: status(patient.url, revoked).status_code == 401)
        assert status(impatient.url, known).status_code == 200
        postgres.kill()
        until(lambda: patient.service.access.problem and impatient.service.access.problem)
        assert status(patient.url, known).status_code == 200
        assert status(patient.url, revoked).status_code == 401
        wrong = known[:-1] + ("a" if known[-1] != "a" else "b")
        assert status(patient.url, wrong).status_code == 401
        for url, key in ((patient.url, str(new_key())), (impatient.url, known)):
            refused = status(url, key)
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
        health = httpx.get(f"{patient.url}/readyz", timeout=60, trust_env=False).json()
        assert health["status"] == "degraded"
        assert health["checks"]["keys"].startswith("cannot be read")
        postgres.start()
        new = until(lambda: _made(make_key, settings))
        for running in (patient, impatient):
            until(lambda url=running.url: status(url, new).status_code == 200)
            assert running.service.access.problem is None


def _made(make_key: Callable[..., str], settings: Settings) -> str:
    return make_key(settings, "score")


def test_a_start_without_the_database_lets_nobody_in(
    keyed_settings: Callable[..., Settings], serve: Any
) -> None:
    """It cannot be known whether there are keys, so it is not open either, not even on loopback."""
    nowhere = keyed_settings(database_url="postgresql://nobody@127.0.0.1:1/none")
    for host in ("127.0.0.1", "0.0.0.0"):
        with serve(**nowhere.model_dump() | {"host": host}) as running:
            for key in (str(new_key()), "none"):
                refused = status(running.url, key)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert httpx.get(f"{running.url}/livez", trust_env=False).status_code == 200
