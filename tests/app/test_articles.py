"""Registering premises, and what scoring makes of them."""

import re
import socket
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.errors import SettingsError, StoreDownError, StoreError
from app.schemas import ArticleRegistration
from app.store import Store

Serve = Callable[..., AbstractContextManager[Any]]

COMMENT = {"text": "I disagree with this, the shops need deliveries."}


def premise_for(http: httpx.Client, article: dict) -> str | None:
    stance = http.post("/v1/score", json={"comment": COMMENT, "article": article}).json()["stance"]
    return stance and stance["premise"]


def test_put_get_delete(http: httpx.Client) -> None:
    body = {"premise": "Ban cars", "url": "https://news.example/1", "title": "Cars"}
    created = http.put("/v1/articles/a1", json=body)
    assert (created.status_code, created.json()) == (201, {"id": "a1", **body})
    replaced = http.put("/v1/articles/a1", json={"premise": "Ban all cars"})
    expected = {"id": "a1", "premise": "Ban all cars", "url": None, "title": None}
    assert (replaced.status_code, replaced.json()) == (200, expected)
    assert http.get("/v1/articles/a1").json() == expected
    assert http.delete("/v1/articles/a1").status_code == 204
    assert http.get("/v1/articles/a1").status_code == 404
    missing = http.delete("/v1/articles/a1")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_the_premise_comes_from_the_best_place(http: httpx.Client) -> None:
    url = "https://news.example/order"
    http.put("/v1/articles/order", json={"premise": "registered", "url": url})
    full = {"id": "order", "url": url, "title": "title", "premise": "given", "text": "lead\n\nrest"}
    assert premise_for(http, full) == "given"
    assert premise_for(http, full | {"premise": " \u200b"}) == "registered"
    assert premise_for(http, {"id": "order", "title": "title"}) == "registered"
    assert premise_for(http, {"id": "another", "url": url, "title": "title"}) == "registered"
    assert premise_for(http, {"id": "another", "title": "The title", "text": "lead"}) == "The title"
    assert premise_for(http, {"title": "", "text": "lead\nof two lines\n\nrest"}) == "lead of two lines"
    assert premise_for(http, {"id": "another"}) is None


def test_batches_and_streams_know_registered_premises(http: httpx.Client) -> None:
    http.put("/v1/articles/batched", json={"premise": "registered"})
    items = [{"comment": COMMENT, "article": {"id": name}} for name in ("batched", "unknown", "batched")]
    results = http.post("/v1/score/batch", json={"items": items}).json()["results"]
    assert [bool(result["stance"]) for result in results] == [True, False, True]
    line = httpx.Request("POST", "/", json=items[0]).content
    streamed = http.post("/v1/score/stream", content=line, headers={"Content-Type": "application/x-ndjson"})
    assert streamed.json()["stance"]["premise"] == "registered"


def test_registered_claims_are_judged_as_if_they_had_been_given(http: httpx.Client) -> None:
    url, claims = "https://news.example/claims", ["The shops need deliveries.", "Ban cars."]
    record = {"id": "claims", "premise": claims, "url": url, "title": None}
    created = http.put("/v1/articles/claims", json={"premise": claims, "url": url})
    assert (created.status_code, created.json()) == (201, record)
    assert http.get("/v1/articles/claims").json() == record
    comment = {**COMMENT, "parent": {"text": "Well said."}}
    given = http.post("/v1/score", json={"comment": comment, "article": {"premise": claims}, "explain": True})
    as_registered = given.json()
    assert len(as_registered["stances"]) == 2
    for stance in (as_registered["stance"], *as_registered["stances"]):
        stance["premise_source"] = "registered"
    asked = [
        {"comment": comment, "article": article, "explain": True}
        for article in ({"id": "claims"}, {"url": url}, {"id": "claims", "premise": [], "title": "Cars"})
    ]
    assert [http.post("/v1/score", json=one).json() for one in asked] == [as_registered] * 3
    assert http.post("/v1/score/batch", json={"items": asked}).json()["results"] == [as_registered] * 3
    line = httpx.Request("POST", "/", json=asked[0]).content
    streamed = http.post("/v1/score/stream", content=line, headers={"Content-Type": "application/x-ndjson"})
    assert streamed.json() == as_registered
    # What the request itself says comes first, and one claim is no list.
    own = {"comment": COMMENT, "article": {"id": "claims", "premise": "Ban all cars."}}
    assert "stances" not in http.post("/v1/score", json=own).json()
    assert http.put("/v1/articles/claims", json={"premise": claims[1]}).status_code == 200
    answer = http.post("/v1/score", json=asked[0]).json()
    assert (answer["stance"]["premise"], "stances" in answer) == (claims[1], False)


@pytest.mark.parametrize(
    "path",
    [
        "2026/11/car-ban",
        "2026%2F11%2Fcar-ban",
        "caf%C3%A9%20%3F%23",
        "%F0%9F%91%8D",
        "x" * 256,
        "a+b;c=d&e",
        "%2E%2E",
    ],
)
def test_odd_ids(http: httpx.Client, path: str) -> None:
    created = http.put(f"/v1/articles/{path}", json={"premise": "odd"})
    assert created.status_code in {200, 201}
    assert premise_for(http, {"id": created.json()["id"]}) == "odd"
    assert http.delete(f"/v1/articles/{path}").status_code == 204


@pytest.mark.parametrize("path", ["", "%20", "%00", "a%09b", "%FF", "x" * 257, "x" * 10_000])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_ids_that_are_refused(http: httpx.Client, path: str, method: str) -> None:
    body = {"json": {"premise": "odd"}} if method == "PUT" else {}
    response = http.request(method, f"/v1/articles/{path}", **body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "id"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "premise is required"),
        ({"premise": " "}, "premise is empty"),
        ({"premise": 1}, "premise must be a string or a list of strings"),
        ({"premise": ["x", 1]}, "premise must be a string or a list of strings"),
        ({"premise": []}, "premise is empty"),
        ({"premise": ["x", " "]}, "premise.1 is empty"),
        ({"premise": ["x", "\0y"]}, "premise.1 must not contain the character NUL"),
        ({"premise": ["x"] * 9}, "premise has 9 entries, at most 8 allowed"),
        ({"premise": ["x", "x" * 20_481]}, "premise.1 has 20481 bytes in UTF-8, at most 20480 allowed"),
        ({"premise": "x" * 20_481}, "premise has 20481 bytes in UTF-8, at most 20480 allowed"),
        ({"premise": "x", "id": "y"}, "id is not a known field"),
        ([], "body must be an object"),
        ({"premise": "a\0b"}, "premise must not contain the character NUL"),
        ({"premise": "x", "url": "\0"}, "url must not contain the character NUL"),
        ({"premise": "x", "title": "\0"}, "title must not contain the character NUL"),
    ],
)
def test_registrations_that_are_refused(http: httpx.Client, body: object, detail: str) -> None:
    response = http.put("/v1/articles/refused", json=body)
    assert (response.status_code, response.json()["detail"]) == (422, detail)
    limit = re.search(r"at most (\d+) allowed", detail)
    assert response.json()["errors"][0].get("limit") == (limit and int(limit[1]))
    assert http.get("/v1/articles/refused").status_code == 404


def test_articles_outlive_the_service(serve: Serve, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    with serve(database_url=url) as running:
        httpx.put(f"{running.url}/v1/articles/kept", json={"premise": "kept"}, trust_env=False)
    with serve(database_url=url) as running:
        found = httpx.get(f"{running.url}/v1/articles/kept", trust_env=False)
    assert found.json()["premise"] == "kept"


def test_a_store_in_memory(serve: Serve) -> None:
    with (
        serve(database_url="sqlite://") as running,
        httpx.Client(base_url=running.url, trust_env=False) as http,
    ):
        http.put("/v1/articles/a", json={"premise": "kept in memory"})
        assert premise_for(http, {"id": "a"}) == "kept in memory"


def test_scoring_goes_on_without_the_database(serve: Serve, tmp_path: Path) -> None:
    place = tmp_path / "not there" / "x.sqlite3"
    with (
        serve(
            database_url=f"sqlite:///{place}", open=True
        ) as running,  # else nobody is let in: keys may lie there
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        assert premise_for(http, {"id": "a", "title": "title"}) == "title"
        ready = http.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["status"] == "degraded"
        assert "does not answer" in ready.json()["checks"]["database"]
        for response in (
            http.put("/v1/articles/a", json={"premise": "x"}),
            http.get("/v1/articles/a"),
            http.delete("/v1/articles/a"),
        ):
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
            assert response.headers["content-type"] == "application/problem+json"
            assert str(tmp_path) not in response.text
        place.parent.mkdir()
        assert http.put("/v1/articles/a", json={"premise": "back"}).status_code == 201
        assert premise_for(http, {"id": "a"}) == "back"
        assert http.get("/readyz").json()["status"] == "ok"


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "broken.sqlite3"
    file.write_bytes(b"this is no database, just some text that is long enough" * 40)
    store = Store(f"sqlite:///{file}")
    with pytest.raises(StoreError, match=r"broken\.sqlite3 does not answer: file is not a database"):
        store.check()
    store.close()


def test_a_new_article_with_the_same_url_comes_first(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    for name in ("old", "new"):
        store.articles.put(name, ArticleRegistration(premise=name, url="https://news.example/same"))
    assert store.articles.premises([], ["https://news.example/same"])[1] == {
        "https://news.example/same": "new"
    }
    store.close()
    with sqlite3.connect(tmp_path / "x.sqlite3") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://u:secret@localhost/x",
        "sqlite+nonsense://",
        "oracle://x",
        "postgresql://u:secret@h:notaport/x",
    ],
)
def test_urls_that_are_no_database_of_ours(url: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPOINT_DATABASE_URL") as error:
        Store(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_that_is_not_there_is_told(scheme: str) -> None:
    pytest.importorskip("psycopg", reason="needs the extra for PostgreSQL")
    with socket.socket() as taken:  # bound and not listening: it refuses
        taken.bind(("127.0.0.1", 0))
        store = Store(f"{scheme}://u:secret@127.0.0.1:{taken.getsockname()[1]}/x", timeout_s=1)
        with pytest.raises(StoreDownError, match=r"postgresql\+psycopg") as error:
            store.check()
        store.close()
    assert "secret" not in str(error.value)


def test_a_file_that_is_no_database_is_not_taken_for_one_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"no database " * 1_000)
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with pytest.raises(StoreError, match="not a database") as error:
        store.check()
    store.close()
    assert not isinstance(error.value, StoreDownError)
