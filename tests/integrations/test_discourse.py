"""Discourse's webhook, as its serializer and its job send it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

Serve = Callable[..., AbstractContextManager[Any]]
Post = Callable[..., httpx.Response]


def post_of(
    cooked: str = "<p>Thank you for this careful report.</p>", **changes: object
) -> dict[str, object]:
    created = (datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    post: dict[str, object] = {
        "id": 4711,
        "name": "Ann",
        "username": "ann",
        "created_at": created,
        "updated_at": created,
        "cooked": cooked,
        "raw": "…",
        "post_number": 2,
        "post_type": 1,
        "reply_to_post_number": None,
        "topic_id": 42,
        "topic_slug": "close-the-square",
        "topic_title": "The city should close the square to cars.",
        "topic_archetype": "regular",
        "category_id": 3,
        "user_id": 8,
        **{f"plugin_field_{number}": number for number in range(80)},
    }
    return {"post": post | changes}


def test_a_new_post_is_scored(http: httpx.Client, post_discourse: Post) -> None:
    response = post_discourse(http, "post_created", post_of("<p>I disagree with the author.</p>"))
    assert response.status_code == 200
    reply = response.json()
    assert (reply["received"], reply["scored"]) == (True, True)
    assert reply["answer"]["id"] == "4711"
    assert reply["answer"]["stance"]["premise"] == "The city should close the square to cars."
    same = http.post("/v1/score", json={"comment": {"text": "I disagree with the author."}}).json()
    assert reply["answer"]["civility"] == same["civility"]


def test_the_premise_may_be_registered(http: httpx.Client, post_discourse: Post) -> None:
    http.put("/v1/articles/discourse:77", json={"premise": "School phones ought to be banned."})
    reply = post_discourse(http, "post_created", post_of(topic_id=77)).json()
    assert reply["answer"]["stance"]["premise"] == "School phones ought to be banned."


def test_the_first_post_has_no_premise(http: httpx.Client, post_discourse: Post) -> None:
    reply = post_discourse(http, "post_created", post_of(post_number=1)).json()
    assert reply["answer"]["stance"] is None


def test_what_others_said_is_not_held_against_the_author(http: httpx.Client, post_discourse: Post) -> None:
    quoting = (
        '<aside class="quote" data-post="1"><div class="title">bob:</div>'
        "<blockquote><p>You are a stupid idiot.</p></blockquote></aside>"
        "<p>Thank you for this careful report.</p>"
    )
    with_quote = post_discourse(http, "post_created", post_of(quoting)).json()
    assert (
        with_quote["answer"]["civility"]
        == post_discourse(http, "post_created", post_of()).json()["answer"]["civility"]
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"post_type": 4},
        {"post_type": 3},
        {"topic_archetype": "private_message"},
        {"cooked": '<p><img src="cat.gif"></p>'},
        {"cooked": ""},
    ],
)
def test_what_is_no_public_comment_is_not_scored(
    http: httpx.Client, post_discourse: Post, changes: dict[str, object]
) -> None:
    response = post_discourse(http, "post_created", post_of(**changes))
    assert (response.status_code, response.json()) == (200, {"received": True, "scored": False})


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("ping", {"ping": "OK"}),
        ("post_edited", post_of()),
        ("topic_created", {"topic": {"id": 42}}),
        ("user_logged_in", {"user": {"id": 8}}),
    ],
)
def test_other_events_are_acknowledged(
    http: httpx.Client, post_discourse: Post, event: str, body: dict[str, object]
) -> None:
    response = post_discourse(http, event, body)
    assert (response.status_code, response.json()) == (200, {"received": True, "scored": False})


def test_its_other_content_type_carries_the_same_json(http: httpx.Client, post_discourse: Post) -> None:
    kind = "application/x-www-form-urlencoded"
    response = post_discourse(http, "post_created", post_of(), Content_Type=kind)
    assert response.json()["scored"] is True
    assert post_discourse(http, "post_created", post_of(), Content_Type="text/plain").status_code == 415


@pytest.mark.parametrize("age", [timedelta(hours=5), timedelta(hours=-5)])
def test_a_post_of_another_time_is_refused(http: httpx.Client, post_discourse: Post, age: timedelta) -> None:
    created = (datetime.now(UTC) - age).isoformat()
    response = post_discourse(http, "post_created", post_of(created_at=created))
    assert response.status_code == 403
    assert "14400 s" in response.json()["detail"]


def test_the_last_retry_is_still_fresh(http: httpx.Client, post_discourse: Post) -> None:
    created = (datetime.now(UTC) - timedelta(minutes=1 + 5 + 25 + 125)).isoformat()
    assert post_discourse(http, "post_created", post_of(created_at=created)).status_code == 200


def test_the_tolerance_is_a_setting(serve: Serve, secrets: dict, post_discourse: Post) -> None:
    minute_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    with (
        serve(**secrets, webhook_tolerance_s=30) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        assert post_discourse(http, "post_created", post_of(created_at=minute_ago)).status_code == 403


def test_bad_bodies_are_named_and_never_quoted(http: httpx.Client, post_discourse: Post) -> None:
    for body in ({}, [], {"post": None}, {"post": []}, {"post": {"cooked": "Rosebud"}}):
        response = post_discourse(http, "post_created", body)
        assert response.status_code == 422
        assert "Rosebud" not in response.text
    missing = post_of()
    del missing["post"]["cooked"]  # type: ignore[attr-defined]
    assert post_discourse(http, "post_created", missing).json()["errors"][0]["field"] == "cooked"
