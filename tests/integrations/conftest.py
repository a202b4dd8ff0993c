"""A real service with secrets, and requests signed as Coral and Discourse sign them."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

CORAL_SECRET = "coral-secret-of-the-tests"
CORAL_OLD_SECRET = "coral-secret-before-the-rotation"
DISCOURSE_SECRET = "discourse-secret-of-the-tests"


def signature(body: bytes, *secrets: str) -> str:
    """As Coral's generateSignatures writes it, with the standard library alone."""
    return ",".join(f"sha256={hmac.new(s.encode(), body, hashlib.sha256).hexdigest()}" for s in secrets)


Post = Callable[..., httpx.Response]


@pytest.fixture(scope="session")
def secrets() -> dict[str, list[str]]:
    return {"coral_secrets": [CORAL_SECRET, CORAL_OLD_SECRET], "discourse_secrets": [DISCOURSE_SECRET]}


@pytest.fixture(scope="session")
def http(serve: Any, secrets: dict[str, list[str]]) -> Iterator[httpx.Client]:
    with (
        serve(**secrets, coral_deadline_ms=10_000) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def post_coral() -> Post:
    """Post to Coral's routes as its `services/fetch` does: indented JSON, signed with each secret."""

    def post(
        http: httpx.Client, route: str, body: object, secrets: tuple[str, ...] = (CORAL_SECRET,)
    ) -> httpx.Response:
        raw = json.dumps(body, indent=2, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Coral Moderation/9.0.0",
            "X-Coral-Signature": signature(raw, *secrets),
        }
        return http.post(f"/integrations/coral/{route}", content=raw, headers=headers)

    return post


@pytest.fixture(scope="session")
def post_discourse() -> Post:
    """Post to Discourse's route as its `EmitWebHookEvent` does."""

    def post(http: httpx.Client, event: str, body: object, **headers: str) -> httpx.Response:
        raw = json.dumps(body).encode()
        sent = {
            "Content-Type": "application/json",
            "User-Agent": "Discourse/2026.11.0",
            "X-Discourse-Instance": "https://forum.example",
            "X-Discourse-Event-Id": "17",
            "X-Discourse-Event-Type": event.split("_")[0],
            "X-Discourse-Event": event,
            "X-Discourse-Event-Signature": signature(raw, DISCOURSE_SECRET),
        }
        renamed = {name.replace("_", "-"): value for name, value in headers.items()}
        return http.post("/integrations/discourse", content=raw, headers=sent | renamed)

    return post
