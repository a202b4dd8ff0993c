"""Coral's external moderation phase and its webhooks, as the contract describes them."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.ops.logging import JsonFormatter
from tests.support.sites import Site, site

Serve = Callable[..., AbstractContextManager[Any]]
Post = Callable[..., httpx.Response]

CIVIL = "Thank you for this careful report."
UNCIVIL = "You are a stupid idiot."
FLAG = {"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}


def phase(body: str, **changes: object) -> dict[str, object]:
    """The request of the phase with every field that Coral sends."""
    return {
        "action": "NEW",
        "comment": {"body": body, "parentID": None},
        "author": {"id": "author-1", "role": "COMMENTER"},
        "story": {"id": "story-1", "url": "https://news.example/square"},
        "site": {"id": "site-1"},
        "tenantID": "tenant-1",
        "tenantDomain": "comments.news.example",
    } | changes


def event(kind: str, data: dict[str, object], age: timedelta = timedelta()) -> dict[str, object]:
    created = (datetime.now(UTC) - age).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": "event-1",
        "type": kind,
        "data": data,
        "createdAt": created,
        "tenantID": "tenant-1",
        "tenantDomain": "comments.news.example",
    }


def test_no_opinion_on_a_civil_comment(http: httpx.Client, post_coral: Post) -> None:
    response = post_coral(http, "phase", phase(f"<div>{CIVIL}</div>"))
    assert (response.status_code, response.content) == (204, b"")


def test_a_comment_to_review_is_flagged_and_withheld(serve: Serve, secrets: dict, post_coral: Post) -> None:
    thresholds = {"insult": {"review": 0.5, "reject": None}}
    with _service(serve, secrets, thresholds) as http:
        response = post_coral(http, "phase", phase(f"<div>{UNCIVIL}</div>"))
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {"actions": [FLAG], "status": "SYSTEM_WITHHELD"}


def test_a_comment_to_reject_is_rejected(serve: Serve, secrets: dict, post_coral: Post) -> None:
    thresholds = {"insult": {"review": 0.5, "reject": 0.5}}
    with _service(serve, secrets, thresholds) as http:
        response = post_coral(http, "phase", phase(f"<div>{UNCIVIL}</div>", action="EDIT"))
        assert response.json() == {"actions": [FLAG], "status": "REJECTED"}
        assert post_coral(http, "phase", phase(f"<div>{CIVIL}</div>")).status_code == 204


def test_markup_hides_nothing_and_counts_for_nothing(serve: Serve, secrets: dict, post_coral: Post) -> None:
    with _service(serve, secrets, {"insult": {"review": 0.5, "reject": None}}) as http:
        spread = "<div>You are a st<b>upid</b> id<i>iot</i>.</div><div><br></div>"
        assert post_coral(http, "phase", phase(spread)).json()["actions"] == [FLAG]
        attribute = f'<div><a href="https://example/{UNCIVIL}" title="{UNCIVIL}">{CIVIL}</a></div>'
        assert post_coral(http, "phase", phase(attribute)).status_code == 204


def test_plain_text_is_no_markup(serve: Serve, secrets: dict, post_coral: Post) -> None:
    thresholds = {"insult": {"review": 0.5, "reject": None}}
    hidden = f"<{UNCIVIL}>"
    with _service(serve, secrets, thresholds, coral_format="PLAIN_TEXT") as http:
        assert post_coral(http, "phase", phase(hidden)).json()["actions"] == [FLAG]


@pytest.mark.parametrize("body", ["", "<div><br></div>", " \n", '<img src="cat.gif">'])
def test_no_opinion_where_nothing_is_said(http: httpx.Client, post_coral: Post, body: str) -> None:
    assert post_coral(http, "phase", phase(body)).status_code == 204


def test_no_opinion_in_a_language_that_the_model_does_not_know(http: httpx.Client, post_coral: Post) -> None:
    german = "Das ist doch völliger Unsinn, was Sie da über die Stadt schreiben."
    assert post_coral(http, "phase", phase(german)).status_code == 204


def test_a_long_comment_is_cut_and_scored(serve: Serve, secrets: dict, post_coral: Post) -> None:
    with _service(serve, secrets, {"insult": {"review": 0.5, "reject": None}}) as http:
        assert post_coral(http, "phase", phase(f"{UNCIVIL} " * 2_000)).json()["actions"] == [FLAG]
        assert post_coral(http, "phase", phase("é" * 30_000)).status_code in {200, 204}


def test_out_of_time_is_no_opinion(serve: Serve, secrets: dict, post_coral: Post) -> None:
    # The comment would wait a whole second for company, and the deadline is over before.
    slow = {"micro_batch_wait_ms": 1_000.0, "coral_deadline_ms": 1.0}
    with _service(serve, secrets, {"insult": {"review": 0.0, "reject": 0.0}}, **slow) as http:
        assert post_coral(http, "phase", phase(UNCIVIL)).status_code == 204


def test_bad_requests_are_named_and_never_quoted(http: httpx.Client, post_coral: Post) -> None:
    for body, field in (
        ({}, "comment"),
        ({"comment": {"parentID": None}}, "comment.body"),
        ({"comment": {"body": ["Rosebud"]}}, "comment.body"),
        (["Rosebud"], "body"),
    ):
        response = post_coral(http, "phase", body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == field
        assert "Rosebud" not in response.text


def test_a_phase_carries_no_time_so_it_may_come_again(http: httpx.Client, post_coral: Post) -> None:
    for _ in range(2):
        assert post_coral(http, "phase", phase(CIVIL)).status_code == 204


@pytest.mark.parametrize(
    "kind",
    [
        "COMMENT_CREATED",
        "COMMENT_REPLY_CREATED",
        "COMMENT_ENTERED_MODERATION_QUEUE",
        "COMMENT_LEFT_MODERATION_QUEUE",
        "SOMETHING_NEW",
    ],
)
def test_other_events_are_acknowledged(http: httpx.Client, post_coral: Post, kind: str) -> None:
    data = {"storyID": "story-1", "siteID": "site-1", "commentID": "comment-1"}
    response = post_coral(http, "webhook", event(kind, data))
    assert (response.status_code, response.json()) == (200, {"received": True})


def test_a_new_story_gets_its_headline_as_premise(
    serve: Serve, secrets: dict, post_coral: Post, newspaper: str
) -> None:
    with _service(serve, secrets, {}, **_stories_of(newspaper)) as http:
        data = {"storyID": "story-1", "storyURL": f"{newspaper}/square", "siteID": "site-1"}
        response = post_coral(http, "webhook", event("STORY_CREATED", data))
        assert response.json() == {"received": True, "registered": True, "outcome": "registered"}
        record = http.get("/v1/articles/story-1").json()
        assert record["premise"] == "Close the square to cars & buses"
        assert record["url"] == data["storyURL"]
        body = {"comment": {"text": "I disagree with the author."}, "article": {"url": data["storyURL"]}}
        assert http.post("/v1/score", json=body).json()["stance"]["premise"] == record["premise"]
        again = post_coral(http, "webhook", event("STORY_CREATED", data))
        assert again.json()["outcome"] == "already known"
        moved = data | {"storyID": "story-2", "storyURL": f"{newspaper}/moved"}
        assert post_coral(http, "webhook", event("STORY_CREATED", moved)).json()["outcome"] == "registered"
        assert http.get("/v1/articles/story-2").json()["url"] == moved["storyURL"]


def test_a_premise_of_the_newsroom_stays(
    serve: Serve, secrets: dict, post_coral: Post, newspaper: str
) -> None:
    with _service(serve, secrets, {}, **_stories_of(newspaper)) as http:
        url = f"{newspaper}/square"
        http.put("/v1/articles/cms-7", json={"premise": "Cars should leave the square", "url": url})
        data = {"storyID": "story-7", "storyURL": url, "siteID": "site-1"}
        response = post_coral(http, "webhook", event("STORY_CREATED", data))
        assert response.json() == {"received": True, "registered": False, "outcome": "already known"}
        assert http.get("/v1/articles/story-7").status_code == 404


@pytest.mark.parametrize("path", ["/elsewhere", "/missing", "/empty", "/loop"])
def test_without_a_headline_nothing_is_made_up(
    serve: Serve, secrets: dict, post_coral: Post, newspaper: str, path: str
) -> None:
    with _service(serve, secrets, {}, **_stories_of(newspaper)) as http:
        data = {"storyID": "story-1", "storyURL": newspaper + path, "siteID": "site-1"}
        response = post_coral(http, "webhook", event("STORY_CREATED", data))
        assert response.json() == {"received": True, "registered": False, "outcome": "no headline"}
        assert http.get("/v1/articles/story-1").status_code == 404


def test_no_page_is_fetched_from_a_host_that_is_not_named(
    http: httpx.Client, post_coral: Post, newspaper: str, newspaper_site: Site
) -> None:
    seen = len(newspaper_site.visits)
    for url in (f"{newspaper}/square", "file:///etc/passwd", "not a url", "http://[::1"):
        data = {"storyID": "story-9", "storyURL": url, "siteID": "site-1"}
        response = post_coral(http, "webhook", event("STORY_CREATED", data))
        assert response.json()["outcome"] == "no headline"
    assert len(newspaper_site.visits) == seen


@pytest.mark.parametrize("age", [timedelta(hours=5), timedelta(hours=-5)])
def test_an_event_of_another_time_is_refused(http: httpx.Client, post_coral: Post, age: timedelta) -> None:
    response = post_coral(http, "webhook", event("COMMENT_CREATED", {}, age))
    assert response.status_code == 403
    assert "14400 s" in response.json()["detail"]
    fresh = post_coral(http, "webhook", event("COMMENT_CREATED", {}, timedelta(hours=3)))
    assert fresh.status_code == 200


def test_a_webhook_without_its_fields(http: httpx.Client, post_coral: Post) -> None:
    story = event("STORY_CREATED", {"storyID": "s", "siteID": "x"})
    assert post_coral(http, "webhook", story).json()["errors"][0]["field"] == "data.storyURL"
    nameless = event("STORY_CREATED", {"storyID": "a\0b", "storyURL": "https://news.example/a"})
    assert post_coral(http, "webhook", nameless).status_code == 422
    for url in ("", "https://news.example/\0", "https://news.example/" + "x" * 2_048):
        story = event("STORY_CREATED", {"storyID": "s", "storyURL": url})
        assert post_coral(http, "webhook", story).status_code == 422
    timeless = event("COMMENT_CREATED", {}) | {"createdAt": "yesterday"}
    assert post_coral(http, "webhook", timeless).json()["errors"][0]["field"] == "createdAt"


def test_no_text_is_logged(serve: Serve, secrets: dict, post_coral: Post) -> None:
    log = _Log()
    with _service(serve, secrets, {"insult": {"review": 0.5, "reject": None}}) as http:
        logging.getLogger("counterpoint").addHandler(log)
        post_coral(http, "phase", phase(f"Rosebud: {UNCIVIL}"))
        post_coral(http, "phase", {"comment": {"body": 5, "Rosebud": 1}})
    logging.getLogger("counterpoint").removeHandler(log)
    lines = "".join(log.lines)
    assert "/integrations/coral/phase" in lines
    assert "Rosebud" not in lines
    assert "coral-secret" not in lines


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class _Service:
    """A service with thresholds of its own, and a client for it."""

    def __init__(self, running: AbstractContextManager[Any]) -> None:
        self._running = running

    def __enter__(self) -> httpx.Client:
        self._http = httpx.Client(base_url=self._running.__enter__().url, timeout=60, trust_env=False)
        return self._http

    def __exit__(self, *raised: Any) -> None:
        self._http.close()
        self._running.__exit__(*raised)


def _service(serve: Serve, secrets: dict, thresholds: dict, **others: object) -> _Service:
    return _Service(serve(**({"coral_deadline_ms": 10_000} | secrets | others), thresholds=thresholds))


def _stories_of(newspaper: str) -> dict[str, list[str]]:
    return {
        "coral_story_hosts": [newspaper.removeprefix("http://")],
        "coral_story_networks": ["127.0.0.1/32"],
    }


PAGES = {
    "/square": (
        200,
        "<title>News</title><meta property='og:title' content='Close the square to cars &amp; buses'>",
    ),
    "/empty": (200, "<html><body><p>Nothing to see.</p></body></html>"),
    "/missing": (404, "<title>Not found</title>"),
    "/moved": (301, "/square"),
    "/loop": (302, "/loop"),
    "/elsewhere": (302, "http://127.0.0.1:9/square"),
}


@pytest.fixture(scope="module")
def newspaper_site() -> Iterator[Site]:
    """A site with the pages above, on loopback."""
    with site(PAGES) as running:
        yield running


@pytest.fixture(scope="module")
def newspaper(newspaper_site: Site) -> str:
    return f"http://127.0.0.1:{newspaper_site.port}"
