"""Livez and readyz."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx

Serve = Callable[..., AbstractContextManager[Any]]


def test_livez(http: httpx.Client) -> None:
    assert http.get("/livez").json() == {"status": "ok"}


def test_readyz_names_the_model_and_the_database(http: httpx.Client, bundle_path: Path) -> None:
    response = http.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"model": bundle_path.name, "database": "ok"}}


def test_readyz_says_no_when_nothing_is_scored_any_more(serve: Serve) -> None:
    with serve() as running:
        task = running.service.batcher._loop_task
        task.get_loop().call_soon_threadsafe(task.cancel)
        response = httpx.get(f"{running.url}/readyz", trust_env=False)
        assert response.status_code == 503
        assert response.headers["retry-after"]
        assert httpx.get(f"{running.url}/livez", trust_env=False).status_code == 200
