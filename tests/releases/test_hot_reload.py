"""Activating under load, across workers: nothing fails, nothing is mixed, everybody follows."""

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.releases.active import ActiveFile
from app.schemas import ScoreRequest
from app.scorer import Scorer
from app.settings import Settings
from models import load_bundle

OLD, NEW = "2026.1.0", "2026.2.0"
WORKERS = 2
ACTIVATIONS = int(os.environ.get("ACTIVATIONS", "2"))
BODIES: list[dict[str, Any]] = [
    {"comment": {"text": f"Comment {n}: you are a stupid idiot."}, "article": {"premise": "Ban cars"}}
    for n in range(12)
]


# A connection of its own for each, since the server closes one that is idle while the test waits.
def post(served: Any, path: str, body: object = None) -> httpx.Response:
    return httpx.post(f"{served.url}{path}", json=body, timeout=60, trust_env=False)


def get(served: Any, path: str) -> httpx.Response:
    return httpx.get(f"{served.url}{path}", timeout=60, trust_env=False)


@pytest.fixture(scope="module")
def expected(releases: Path) -> dict[str, list[Any]]:
    """What each version says of the bodies."""
    requests = [ScoreRequest.model_validate(body) for body in BODIES]
    return {
        version: [
            json.loads(answer.model_dump_json(exclude_unset=True))
            for answer in Scorer(load_bundle(releases / version), Settings()).score(requests)
        ]
        for version in (OLD, NEW)
    }


class Load:
    """Threads that ask without a pause, each answer being checked, with a connection for every few."""

    def __init__(self, url: str, expected: dict[str, list[Any]]) -> None:
        self.asked = 0
        self.seen: set[str] = set()
        self._url, self._expected = url, expected
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(4)

    def __enter__(self) -> "Load":
        self._running = [self._pool.submit(self._ask, start) for start in range(4)]
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        for running in self._running:
            running.result()

    def _ask(self, number: int) -> None:
        while not self._stop.is_set():
            with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as http:
                for _ in range(5):
                    number = (number + 1) % len(BODIES)
                    self._check_single(http, number)
                self._check_batch(http)

    def _check_single(self, http: httpx.Client, number: int) -> None:
        response = http.post("/v1/score", json=BODIES[number])
        assert response.status_code == 200
        answer = response.json()
        assert answer == self._expected[answer["model"]][number]
        self.seen.add(answer["model"])
        self.asked += 1

    def _check_batch(self, http: httpx.Client) -> None:
        response = http.post("/v1/score/batch", json={"items": BODIES})
        assert response.status_code == 200
        results = response.json()["results"]
        assert results == self._expected[results[0]["model"]]
        self.asked += 1


def test_every_worker_follows_under_load(
    started: Callable[..., Any], run: Callable[..., Any], expected: dict[str, list[Any]]
) -> None:
    with started("--workers", str(WORKERS)) as served:
        served.wait(lambda _: len(served.workers_with(NEW)) == WORKERS)
        with Load(served.url, expected) as load:
            for _ in range(ACTIVATIONS // 2):
                assert run("models", "activate", OLD).returncode == 0
                served.wait(lambda _: len(served.workers_with(OLD)) == WORKERS)
                assert run("models", "rollback").returncode == 0
                served.wait(lambda _: len(served.workers_with(NEW)) == WORKERS)
        assert load.seen == {OLD, NEW}
        assert load.asked > 50
        for number in range(2 * WORKERS):
            assert (
                httpx.post(f"{served.url}/v1/score", json=BODIES[0], trust_env=False).json()
                == (expected[NEW][0])
            ), number


def test_one_worker_is_asked_and_all_follow(
    started: Callable[..., Any], expected: dict[str, list[Any]], folder: Path
) -> None:
    with started("--workers", str(WORKERS), COUNTERPOINT_ALLOW_ACTIVATE="true") as served:
        served.wait(lambda _: len(served.workers_with(NEW)) == WORKERS)
        assert post(served, "/v1/models/rollback").status_code == 409
        assert post(served, f"/v1/models/{OLD}/activate").json()["active"] is True
        served.wait(lambda _: len(served.workers_with(OLD)) == WORKERS)
        assert post(served, "/v1/score", BODIES[0]).json() == expected[OLD][0]
        assert post(served, "/v1/models/rollback").json()["version"] == NEW
        served.wait(lambda _: len(served.workers_with(NEW)) == WORKERS)
    history = ActiveFile(folder / ".active.json").read()
    assert history is not None
    assert [one.version for one in history.activations] == [NEW]


def test_a_batch_of_moderations_is_of_one_version(serve: Callable[..., Any], releases: Path) -> None:
    texts = [f"Comment {n}: you are a stupid idiot." for n in range(40)]
    with (
        serve(allow_activate=True, micro_batch_size=4) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        wanted = {}
        for version in (OLD, NEW):
            http.post(f"/v1/models/{version}/activate").raise_for_status()
            found = http.post("/v1/moderations", json={"input": texts}).json()
            assert found["model"] == f"counterpoint-{version}"
            wanted[found["model"]] = found["results"]
        assert len({json.dumps(results) for results in wanted.values()}) == 2
        for version in (OLD, NEW, OLD, NEW):
            changing = pool.submit(http.post, f"/v1/models/{version}/activate")
            while not changing.done():
                found = http.post("/v1/moderations", json={"input": texts}).json()
                assert found["results"] == wanted[found["model"]]
            changing.result().raise_for_status()


def test_a_bundle_that_fails_leaves_the_old_one_serving(
    started: Callable[..., Any], run: Callable[..., Any], folder: Path, expected: dict[str, list[Any]]
) -> None:
    broken = folder / OLD / "stance.joblib"
    whole = broken.read_bytes()
    with started() as served:
        broken.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        refused = run("models", "activate", OLD)
        assert refused.returncode == 1
        assert "was altered" in refused.stderr
        assert get(served, "/readyz").json()["status"] == "ok"
        with ActiveFile(folder / ".active.json").change() as change:  # as if it had been altered afterwards
            change.activate(OLD, NEW)
        served.wait(lambda lines: any(f"{OLD} is refused" in line for line in lines))
        ready = get(served, "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert f"{OLD} is refused (AlteredFileError); {NEW} goes on" in ready.json()["checks"]["activation"]
        assert str(folder) not in ready.text
        assert post(served, "/v1/score", BODIES[0]).json() == expected[NEW][0]
        assert 'counterpoint_refused{role="active"} 1.0' in get(served, "/metrics").text
        broken.write_bytes(whole)
        served.wait(lambda _: served.workers_with(OLD))
        assert get(served, "/readyz").json() == {"status": "ok", "checks": {"model": OLD, "database": "ok"}}
        assert post(served, "/v1/score", BODIES[0]).json() == expected[OLD][0]


def test_what_was_activated_is_served_after_a_restart(serve: Callable[..., Any], folder: Path) -> None:
    def model_of(**settings: object) -> dict[str, Any]:
        with serve(releases=folder, active_file=folder / "active.json", **settings) as running:
            checks: dict[str, Any] = httpx.get(f"{running.url}/readyz", trust_env=False).json()["checks"]
            return checks

    assert model_of()["model"] == NEW
    with ActiveFile(folder / "active.json").change() as change:
        change.activate(OLD, NEW)
    assert model_of()["model"] == OLD
    assert model_of(bundle_version=NEW)["model"] == NEW
    (folder / OLD / "civility.joblib").write_bytes(b"")
    checks = model_of()
    assert checks["model"] == NEW
    assert checks["activation"].startswith(f"{OLD} is refused")


def test_the_version_of_the_settings_is_not_changed(
    serve: Callable[..., Any], run: Callable[..., Any]
) -> None:
    with serve(allow_activate=True, bundle_version=NEW) as running:
        for path in (f"{OLD}/activate", "rollback"):
            response = httpx.post(f"{running.url}/v1/models/{path}", trust_env=False)
            assert response.status_code == 409
            assert "COUNTERPOINT_BUNDLE_VERSION" in response.json()["detail"]
    fixed = run("models", "activate", OLD, COUNTERPOINT_BUNDLE_VERSION=NEW)
    assert (fixed.returncode, "COUNTERPOINT_BUNDLE_VERSION" in fixed.stderr) == (1, True)


def test_an_active_file_that_cannot_be_written_changes_nothing(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with serve(allow_activate=True, active_file=tmp_path / "missing.json") as running:
        running.service.shelf._active.path = tmp_path / "file" / "active.json"
        response = httpx.post(f"{running.url}/v1/models/{OLD}/activate", trust_env=False)
        assert response.status_code == 409
        assert str(tmp_path) not in response.text
        assert running.service.shelf.scorer.version == NEW
