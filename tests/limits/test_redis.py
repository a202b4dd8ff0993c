"""Rates that several processes count together, on a real Valkey, which goes away and comes back."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from app.errors import SettingsError
from app.limits.rates import RateLimiter

pytestmark = pytest.mark.usefixtures("not_late_in_a_minute")
Serve = Callable[..., AbstractContextManager[Any]]
COMMENT = {"comment": {"text": "Well said."}}


def statuses(url: str, times: int) -> list[int]:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        return [http.post("/v1/score", json=COMMENT).status_code for _ in range(times)]


def health(url: str) -> dict[str, Any]:
    answer = httpx.get(f"{url}/readyz", trust_env=False)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_two_services_share_a_rate_and_go_on_without_redis(
    serve: Serve, valkey: Any, until: Callable[..., Any]
) -> None:
    settings = {"requests_a_minute": 4, "redis_url": valkey.url, "redis_timeout_ms": 2_000}
    with serve(**settings) as one, serve(**settings) as other:
        assert statuses(one.url, 3) == [200, 200, 200]
        assert statuses(other.url, 2) == [200, 429]
        assert health(one.url)["status"] == "ok"

        valkey.kill()
        assert statuses(other.url, 5) == [200, 200, 200, 200, 429], "each counts for itself"
        for service in (one, other):
            told = health(service.url)
            assert told["status"] == "degraded"
            assert told["checks"]["rates"].startswith("Redis does not answer")
        gauge = "counterpoint_redis_down 1.0"
        assert gauge in httpx.get(f"{one.url}/metrics", trust_env=False).text

        valkey.start()
        until(lambda: health(one.url)["status"] == health(other.url)["status"] == "ok")
        assert statuses(one.url, 3) == [200, 200, 200], "it has forgotten what was counted"
        assert statuses(other.url, 2) == [200, 429]


def test_a_redis_that_hangs_holds_nobody_up(serve: Serve) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        with serve(requests_a_minute=2, redis_url=url, redis_timeout_ms=20) as running:
            assert statuses(running.url, 3) == [200, 200, 429]
            assert health(running.url)["status"] == "degraded"


@pytest.mark.parametrize("url", ["http://host:6379", "host"])
def test_another_url_is_refused_at_the_start(serve: Serve, url: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPOINT_REDIS_URL"), serve(redis_url=url):
        pass


@pytest.mark.parametrize("wanted", [1, 3])
def test_memory_and_redis_count_alike(valkey: Any, wanted: int) -> None:
    async def usages(url: str | None) -> list[tuple[int, int]]:
        limiter = RateLimiter(url, timeout_s=5)
        found = [await limiter.take("a caller", 7, wanted, partly=True) for _ in range(5)]
        assert limiter.is_down is False
        await limiter.close()
        return [(usage.granted, usage.remaining) for usage in found]

    together = asyncio.run(usages(valkey.url))
    assert together == asyncio.run(usages(None))
    assert sum(granted for granted, _ in together) == min(7, 5 * wanted)
