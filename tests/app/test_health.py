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


def test_both_say_no_when_nothing_is_scored_any_more(serve: Serve) -> None:
    with serve() as running:
        task = running.service.batcher._loop_task
        task.get_loop().call_soon_threadsafe(task.cancel)
        for path in ("/readyz", "/livez"):
            response = httpx.get(f"{running.url}{path}", trust_env=False)
            assert response.status_code == 503
            assert response.headers["retry-after"]
