"""What a scored comment leaves behind, and what not."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

Serve = Callable[..., AbstractContextManager[Any]]
SECRET = "Rosebud was his sledge."


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def ask(running: Any, store: str | None, path: str = "/v1/score") -> dict:
    request: dict[str, Any] = {"comment": {"text": SECRET, "id": "c1"}, "article": {"premise": "Ban sledges"}}
    if store is not None:
        request["store"] = store
    body = {"items": [request, request]} if path.endswith("batch") else request
    answer = httpx.post(f"{running.url}{path}", json=body, timeout=60, trust_env=False).json()
    last: dict = answer["results"][-1] if path.endswith("batch") else answer
    return last


@pytest.mark.parametrize(
    ("allowed", "asked", "stored", "kept"),
    [
        ("text", None, None, 0),
        ("text", "digest", "digest", 1),
        ("text", "text", "text", 1),
        ("digest", "text", "digest", 1),
        ("no", "text", "no", 0),
    ],
)
def test_no_more_than_caller_and_operator_allow(
    serve: Serve, tmp_path: Path, allowed: str, asked: str | None, stored: str | None, kept: int
) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    with serve(database_url=url, database_timeout_s=30, store_comments=allowed) as running:
        assert ask(running, asked).get("stored") == stored
        found = running.service.store.comments.find(["c1"])
        assert len(found) == kept
        assert [one.text for one in found] == ([SECRET] if stored == "text" else [None] * kept)
        assert (b"Rosebud" in bytes_in(tmp_path)) == (stored == "text")


@pytest.mark.parametrize("path", ["/v1/score/batch", "/v1/score/stream"])
def test_batches_and_streams_store_too(serve: Serve, database_url: str, path: str) -> None:
    with serve(database_url=database_url, database_timeout_s=30) as running:
        answer = ask(running, "text", path)
        assert answer["stored"] == "text"
        (found,) = running.service.store.comments.find(["c1"])
    assert found.civility == answer["civility"]["attributes"]
    assert (found.stance, found.stance_probabilities) == (
        answer["stance"]["label"],
        answer["stance"]["probabilities"],
    )
    assert (found.model, found.action, found.language) == (
        answer["model"],
        answer["decision"]["action"],
        "en",
    )


def test_other_protocols_store_no_scored_comment(serve: Serve) -> None:
    with serve() as running, httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http:
        body = {"comment": {"text": SECRET}, "requestedAttributes": {"TOXICITY": {}}}
        assert http.post("/v1alpha1/comments:analyze", json=body).status_code == 200
        assert http.post("/v1/moderations", json={"input": SECRET}).status_code == 200
        with running.service.store.database.begin() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM comments").scalar() == 0


def test_scoring_goes_on_without_the_database(serve: Serve, tmp_path: Path) -> None:
    place = tmp_path / "not there" / "x.sqlite3"
    opinion = {"comment": {"text": SECRET}, "labels": {"INSULT": 0}}
    with (
        serve(database_url=f"sqlite:///{place}", open=True) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        answer = ask(running, "text")
        assert (answer["stored"], answer["stance"]["premise"]) == ("no", "Ban sledges")
        for response in (
            http.post("/v1/feedback", json=opinion),
            http.get("/v1/articles/a/summary"),
        ):
            assert response.status_code == 503
            assert re.fullmatch("[1-9][0-9]*", response.headers["retry-after"])
            assert str(tmp_path) not in response.text
        place.parent.mkdir()
        assert http.post("/v1/feedback", json=opinion).status_code == 201
        assert ask(running, "text")["stored"] == "text"
