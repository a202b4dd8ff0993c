import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.threads import (
    NoCommentsError,
    Thread,
    ThreadFieldError,
    ThreadFormatError,
    ThreadJsonError,
    parse_thread,
    read_thread,
)
from data.examples import ExampleThread


def parse(document: object) -> Thread:
    return parse_thread(json.dumps(document))


def test_every_example_is_read_whole(example_files: list[Path], examples: dict[str, ExampleThread]) -> None:
    assert len(example_files) == len(examples)
    for file in example_files:
        thread, example = read_thread(file), examples[file.stem]
        article = example.article
        assert thread.kind == "json"
        assert (thread.title, thread.premise, thread.url) == (article.title, article.premise, article.url)
        assert thread.text == article.text
        read = [(c.id, c.author, c.date, c.parent, c.text) for c in thread.comments]
        assert read == [(c.id, c.author, c.date, c.parent, c.text) for c in example.comments]


def test_wordpress_rest_comments() -> None:
    thread = parse(
        [
            {
                "id": 7,
                "parent": 0,
                "author": 3,
                "author_name": "Ana",
                "date_gmt": "2016-11-17T20:51:00",
                "content": {"rendered": "<p>It&#8217;s fine.<br />\nReally.</p>\n<p>Yes.</p>"},
            },
            {"id": 9, "parent": 7, "author_name": "Ben", "content": {"rendered": "<p>No.</p>"}},
        ]
    )
    first, second = thread.comments
    assert (first.id, first.author, first.parent) == ("7", "Ana", None)
    assert first.date == datetime(2016, 11, 17, 20, 51, tzinfo=UTC)
    assert first.text == "It\u2019s fine.\nReally.\n\nYes."
    assert (second.parent, second.author, second.date) == ("7", "Ben", None)
    assert (thread.title, thread.premise) == ("", None)


@pytest.mark.parametrize(
    "comment",
    [
        {"body": "Hello.", "author": {"name": "Ana"}, "created_at": "2024-05-01T13:00:00"},
        {"text": "Hello.", "author": "Ana", "date": "May 1, 2024 at 1:00 pm"},
        {"content": "Hello.", "user": {"username": "Ana"}, "date": "2024-05-01 13:00"},
    ],
)
def test_aliases(comment: dict[str, object]) -> None:
    thread = parse({"title": "T", "body": "B", "link": "https://example.org/", "comments": [comment]})
    assert (thread.title, thread.text, thread.url) == ("T", "B", "https://example.org/")
    (read,) = thread.comments
    assert (read.id, read.author, read.text) == ("c1", "Ana", "Hello.")
    assert read.date == datetime(2024, 5, 1, 13)


def test_nested_replies_and_parents_under_other_names() -> None:
    thread = parse(
        {
            "post": {"title": {"rendered": "A &amp; B"}},
            "comments": [
                {"id": "a", "text": "1", "replies": [{"id": "b", "text": "2", "children": [{"text": "3"}]}]},
                {"id": 4, "text": "4", "in_reply_to": "a"},
                {"id": 5, "text": "5", "parent_id": 4},
                {"id": 6, "text": "6", "parent": "deleted since"},
            ],
        }
    )
    assert thread.title == "A & B"
    assert [(c.id, c.parent) for c in thread.comments] == [
        ("a", None),
        ("b", "a"),
        ("c1", "b"),
        ("4", "a"),
        ("5", "4"),
        ("6", None),
    ]


def test_dates_that_are_seconds_or_nonsense() -> None:
    dates = [1479415860, -1, "once", None]
    comments = parse([{"text": "x", "date": date} for date in dates]).comments
    assert comments[0].date == datetime(2016, 11, 17, 20, 51, tzinfo=UTC)
    assert [(c.date, c.date_text) for c in comments[1:]] == [(None, "-1"), (None, "once"), (None, None)]


def test_a_comment_without_text_is_still_a_comment() -> None:
    assert [comment.text for comment in parse([{"id": 1}, {"id": 2, "text": None}]).comments] == ["", ""]


def test_broken_json_names_the_line() -> None:
    with pytest.raises(ThreadJsonError, match="line 3") as caught:
        parse_thread('{"comments": [\n{"text": "x"},\n{"text" "y"}]}')
    assert caught.value.line == 3


@pytest.mark.parametrize("text", ["[" * 100_000, '{"comments": [' + "9" * 5000 + "]}"])
def test_json_that_python_cannot_hold(text: str) -> None:
    with pytest.raises(ThreadJsonError, match="JSON"):
        parse_thread(text)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"comments": {"text": "x"}}, "comments"),
        ({"comments": ["x"]}, "comments[0]"),
        ({"comments": [{"text": "x"}, {"text": 5}]}, "comments[1].text"),
        ({"comments": [{"text": "x", "date": [1]}]}, "comments[0].date"),
        ({"comments": [{"id": [1], "text": "x"}]}, "comments[0].id"),
        ({"comments": [{"id": 1, "text": "x"}, {"id": "1", "text": "y"}]}, "comments[1].id"),
        ({"comments": [{"id": 1, "parent": 2}, {"id": 2, "parent": 1}]}, "parent"),
        ({"article": "x", "comments": []}, "article"),
        ({"title": 3, "comments": [{"text": "x"}]}, "article.title"),
    ],
)
def test_a_field_that_holds_the_wrong_thing_is_named(document: object, field: str) -> None:
    with pytest.raises(ThreadFieldError) as caught:
        parse(document)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def test_an_empty_list_has_no_comments() -> None:
    with pytest.raises(NoCommentsError, match="comments is empty"):
        parse({"title": "T", "comments": []})


def test_json_of_something_else() -> None:
    with pytest.raises(ThreadFormatError, match="nothing recognised"):
        parse({"name": "x"})


def test_halves_of_broken_characters_are_replaced() -> None:
    (comment,) = parse_thread('[{"text": "a \\ud83d b \\ud83d\\ude00", "author": "\\udc00"}]').comments
    assert (comment.text, comment.author) == ("a \ufffd b 😀", "\ufffd")
