"""What is logged: a JSON line a request, failures by place, and no comment text."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.ops.logging import JsonFormatter
from app.settings import Settings

RunApp = Callable[[FastAPI], AbstractContextManager[str]]
SECRET = "Rosebud was his sledge"


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []
        self.changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self.changed:
            self.lines.append(self.format(record))
            self.changed.notify_all()

    def of(self, request_id: str) -> list[dict[str, Any]]:
        """Lines of a request; waits for the first, which is written after the client has its answer."""

        def found() -> list[dict[str, Any]]:
            return [line for line in map(json.loads, self.lines) if line.get("request_id") == request_id]

        with self.changed:
            self.changed.wait_for(found, timeout=60)
            return found()


@pytest.fixture
def attach() -> Iterator[Callable[[], _Lines]]:
    """Begin to collect the lines of the log; called after the service has set its logging up."""
    handler = _Lines()
    logger = logging.getLogger("counterpoint")

    def begin() -> _Lines:
        logger.addHandler(handler)
        return handler

    yield begin
    logger.removeHandler(handler)


def test_a_request_leaves_one_line_without_its_text(server_url: str, attach: Callable[[], _Lines]) -> None:
    log = attach()
    body = {"comment": {"text": SECRET}, "article": {"title": SECRET}, "explain": True}
    headers = {"X-Request-ID": "logged-1"}
    httpx.post(f"{server_url}/v1/score?key={SECRET}", json=body, headers=headers, trust_env=False)
    found = log.of("logged-1")
    assert len(found) == 1
    assert (found[0]["method"], found[0]["path"], found[0]["status"]) == ("POST", "/v1/score", 200)
    assert found[0]["duration_ms"] > 0
    assert found[0]["time"].endswith("+00:00")
    assert "Rosebud" not in "".join(log.lines)


def test_a_fault_is_a_problem_and_is_logged_without_its_message(
    make_settings: Callable[..., Settings], run_app: RunApp, attach: Callable[[], _Lines]
) -> None:
    app = create_app(make_settings())
    lines = attach().lines

    @app.get("/fault")
    async def fault() -> None:
        raise ValueError(SECRET)

    with run_app(app) as url:
        response = httpx.get(f"{url}/fault", headers={"X-Request-ID": "fault-1"}, trust_env=False)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["instance"] == "urn:counterpoint:request:fault-1"
    failure = next(line for line in map(json.loads, lines) if line["logger"] == "counterpoint.failures")
    assert (failure["error"], failure["request_id"]) == ("ValueError", "fault-1")
    assert failure["at"][-1].endswith(" fault")
    assert "Rosebud" not in response.text + "".join(lines)
