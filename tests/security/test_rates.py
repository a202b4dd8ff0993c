"""The rate of a key, on real servers: its own, told, and nobody else's to use up."""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.keys import read_key
from app.settings import Settings

COMMENT = {"comment": {"text": "Well said."}}
ANALYZE = "/v1alpha1/comments:analyze"
Until = Callable[[Callable[[], Any]], Any]
RATE, WORKERS, AT_ONCE = 6, 2, 16


class Limited:
    """A service, its keys, and what these get there."""

    def __init__(self, running: Any, keys: list[str], http: httpx.Client) -> None:
        self.running, self.keys, self.http = running, keys, http

    def ask(self, key: str) -> httpx.Response:
        return self.http.post("/v1/score", json=COMMENT, headers={"X-API-Key": key})

    def statuses(self, key: str, times: int) -> list[int]:
        return [self.ask(key).status_code for _ in range(times)]


@pytest.fixture
def limited(
    keyed_settings: Callable[..., Settings],
    serve: Any,
    make_key: Callable[..., str],
    not_late_in_a_minute: None,
) -> Any:
    """Serve with a key for each rate that is given, and some settings, for as long as the context lasts."""

    @contextmanager
    def run(*rates: int | None, expired: bool = False, **settings: Any) -> Iterator[Limited]:
        chosen = keyed_settings(**settings)
        expires = datetime.now(UTC) - timedelta(seconds=1)
        keys = [make_key(chosen, "score", requests_a_minute=rate) for rate in rates]
        keys += [make_key(chosen, "score", requests_a_minute=3, expires=expires)] * expired
        with (
            serve(**chosen.model_dump()) as running,
            httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
        ):
            yield Limited(running, keys, http)

    return run


def test_a_key_over_its_rate_is_told_when_to_come_again_and_others_go_on(limited: Any) -> None:
    with limited(3, 50, None) as service:
        few, many, any_number = service.keys
        for left in (2, 1, 0):
            answer = service.ask(few)
            assert answer.status_code == 200
            assert answer.headers["ratelimit-policy"] == '"default";q=3;w=60'
            assert re.fullmatch(rf'"default";r={left};t=\d+', answer.headers["ratelimit"])
        for _ in range(2):
            refused = service.ask(few)
            assert (refused.status_code, refused.json()["type"]) == (
                429,
                "urn:counterpoint:problem:too-many-requests",
            )
            assert 1 <= int(refused.headers["retry-after"]) <= 120
            assert refused.headers["ratelimit"].startswith('"default";r=0;t=')
        assert service.statuses(many, 5) == service.statuses(any_number, 5) == [200] * 5
        assert service.ask(many).headers["ratelimit-policy"] == '"default";q=50;w=60'
        assert "ratelimit" not in service.ask(any_number).headers


def test_a_key_has_one_rate_however_it_is_given(limited: Any) -> None:
    with limited(3) as service:
        [key] = service.keys
        analyze = {"comment": {"text": "Well said."}, "requestedAttributes": {"TOXICITY": {}}}
        ways: list[dict[str, Any]] = [
            {"url": "/v1/moderations", "json": {"input": "x"}, "headers": {"Authorization": f"Bearer {key}"}},
            {"url": f"{ANALYZE}?key={key}", "json": analyze},
            {"url": ANALYZE, "json": analyze, "headers": {"X-Goog-Api-Key": key}},
        ]
        assert [service.http.post(**way).status_code for way in ways] == [200] * 3
        assert [service.http.post(**way).status_code for way in ways] == [429] * 3
        assert service.ask(key).status_code == 429


def batch_of(*keys: str) -> dict[str, Any]:
    analyze = json.dumps({"comment": {"text": "Thanks"}, "requestedAttributes": {"TOXICITY": {}}})
    head = "--x\r\nContent-Type: application/http\r\n\r\n"
    parts = [f"{head}POST {ANALYZE}?key={key} HTTP/1.1\r\n\r\n{analyze}\r\n" for key in keys]
    return {"content": "".join(parts) + "--x--", "headers": {"Content-Type": "multipart/mixed; boundary=x"}}


def statuses_in(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200
    return [int(line.split()[1]) for line in answer.text.splitlines() if line.startswith("HTTP/1.1")]


@pytest.mark.parametrize("default", [None, 40])
def test_no_batch_gets_round_a_keys_rate(limited: Any, default: int | None) -> None:
    with limited(3, 50, 2, requests_a_minute=default) as service:
        few, many, whole = service.keys
        answer = service.http.post("/batch", **batch_of(few, many, few, few, many, few))
        assert sorted(statuses_in(answer)) == [200] * 5 + [429]
        assert statuses_in(service.http.post("/batch", **batch_of(few, many))) == [429, 200]
        assert service.ask(few).status_code == 429
        # On a batch that has a key itself, a call without one is that key's, and others are their own's.
        body = batch_of("", "", few, many)
        body["headers"]["X-API-Key"] = whole
        assert statuses_in(service.http.post("/batch", **body)) == [200, 200, 429, 200]
        assert service.ask(whole).status_code == 429


def test_keys_of_no_use_use_up_nobodys_rate(limited: Any, until: Until) -> None:
    with limited(None, 3, expired=True, requests_a_minute=3) as service:
        good, revoked, expired = service.keys
        service.running.service.store.keys.revoke(read_key(revoked).id)  # type: ignore[union-attr]
        until(lambda: service.ask(revoked).status_code == 401)
        for key in (expired, revoked):
            for _ in range(5):
                refused = service.ask(key)
                assert refused.status_code == 401
                assert not {"ratelimit", "ratelimit-policy", "retry-after"} & refused.headers.keys()
        # Each part of a batch is refused for itself, and only the batch is counted, on its address.
        assert statuses_in(service.http.post("/batch", **batch_of(expired, revoked, expired))) == [401] * 3
        told = service.http.get("/openapi.json").headers["ratelimit"]
        assert told.startswith('"default";r=1;'), "the address has had a batch and this"
        assert service.ask(good).headers["ratelimit"].startswith('"default";r=2;')


@pytest.mark.parametrize("together", [True, False], ids=["redis", "memory"])
def test_the_rate_of_a_key_with_several_workers(
    request: pytest.FixtureRequest,
    secret_file: Path,
    invoke: Callable[..., Any],
    started: Callable[..., Any],
    until: Until,
    early_in_a_minute: Callable[..., None],
    together: bool,
) -> None:
    shared: dict[str, str] = {}
    if together:
        url = request.getfixturevalue("valkey").url
        shared = {"COUNTERPOINT_REDIS_URL": url, "COUNTERPOINT_REDIS_TIMEOUT_MS": "5000"}
    few, many = (
        json.loads(invoke("keys", "create", "one", "--rate", str(rate), "--json").stdout)["key"]
        for rate in (RATE, 10_000)
    )
    with started("--workers", str(WORKERS), **shared) as served, ThreadPoolExecutor(AT_ONCE) as pool:
        served.wait(lambda _: len(served.workers_with("2026.2.0")) == WORKERS)
        until(lambda: httpx.get(f"{served.url}/readyz", timeout=60, trust_env=False).is_success)
        early_in_a_minute(40)
        statuses: dict[str, int] = {}

        def ask(key: str) -> None:
            name = uuid.uuid4().hex
            headers = {"X-API-Key": key, "X-Request-ID": name}
            answer = httpx.get(f"{served.url}/v1/models", headers=headers, timeout=60, trust_env=False)
            statuses[name] = answer.status_code

        def by_worker() -> dict[int, Counter[int]]:
            logged = [json.loads(line) for line in list(served.lines) if '"counterpoint.access"' in line]
            found: dict[int, Counter[int]] = {}
            for line in logged:
                if line["request_id"] in statuses:
                    found.setdefault(line["pid"], Counter())[statuses[line["request_id"]]] += 1
            return found

        def each_has_refused() -> bool:
            list(pool.map(ask, [few] * AT_ONCE))
            until(lambda: sum(map(Counter.total, by_worker().values())) == len(statuses))
            return sum(counts[429] > 0 for counts in by_worker().values()) == WORKERS

        until(each_has_refused)
        granted = [counts[200] for counts in by_worker().values()]
        assert {*statuses.values()} == {200, 429}
        assert granted == [RATE] * WORKERS if not together else sum(granted) == RATE
        statuses.clear()
        list(pool.map(ask, [many] * AT_ONCE))
        assert {*statuses.values()} == {200}
