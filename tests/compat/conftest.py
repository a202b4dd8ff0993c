"""A real service, and requests as the Perspective API's clients send them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.store import Store
from app.store.feedback import FeedbackStore

ANALYZE = "/v1alpha1/comments:analyze"


@pytest.fixture(scope="session")
def database_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "counterpoint.sqlite3"


@pytest.fixture(scope="session")
def feedback(database_path: Path) -> Iterator[FeedbackStore]:
    """Reads what the service has kept, on a connection of its own."""
    store = Store(f"sqlite:///{database_path}")
    yield store.feedback
    store.close()


@pytest.fixture(scope="session")
def server(serve: Any, database_path: Path) -> Iterator[Any]:
    with serve(database_url=f"sqlite:///{database_path}") as running:
        yield running


@pytest.fixture(scope="session")
def http(server: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def analyze(http: httpx.Client) -> Callable[..., dict]:
    """Analyze a comment; further fields of the request by name. Gives the answer's JSON."""

    def ask(text: str, *attributes: str, query: str = "", **more: object) -> dict:
        requested = {name: {} for name in attributes or ("TOXICITY",)}
        body = {"comment": {"text": text}, "requestedAttributes": requested} | more
        response = http.post(f"{ANALYZE}{query}", json=body)
        assert response.status_code == 200, response.text
        answer: dict = response.json()
        return answer

    return ask


@pytest.fixture(scope="session")
def refused() -> Callable[..., dict]:
    """Check that an answer is an error in Google's envelope; gives its `error`."""

    def check(response: httpx.Response, code: int = 400) -> dict:
        assert response.status_code == code, response.text
        assert response.headers["content-type"] == "application/json; charset=UTF-8"
        envelope = response.json()
        assert envelope.keys() == {"error"}
        error: dict = envelope["error"]
        assert error.keys() == {"code", "message", "status", "details"}
        assert error["code"] == code
        assert error["message"]
        assert error["details"]
        assert error["details"][0]["@type"].startswith("type.googleapis.com/google.")
        return error

    return check
