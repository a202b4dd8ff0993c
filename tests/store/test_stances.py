"""Stances of an article's comments, on each database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.feedback import Feedback
from app.store import Store
from app.store.stances import ArticleName

PREMISE = "Ban cars from the centre."
BEGIN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def opinion(place: int, source: str = "moderator:1", **more: Any) -> Feedback:
    known: dict[str, Any] = {
        "text": f"Comment {place}",
        "stance": "disagree",
        "premise": PREMISE,
        "role": "moderator" if source.startswith("moderator") else "reader",
        "article_id": "a",
        "received": BEGIN + timedelta(minutes=place),
    }
    return Feedback(source, **known | more)


def texts(store: Store, article: ArticleName, **limits: int) -> list[str]:
    found = store.stances.towards(article, PREMISE, **{"most": 100, "most_a_source": 100} | limits)
    return [one.text for one in found]


def test_of_an_article_only_what_counts_is_read(store: Store) -> None:
    url = "https://news.example/a"
    store.feedback.keep(
        [
            opinion(1),
            opinion(2, article_id=None, article_url=url),
            opinion(3, "reader:1", article_url=url),
            opinion(4, premise="Another premise."),
            opinion(5, article_id="b"),
            opinion(6, stance=None, scores={"INSULT": 1.0}),
            opinion(7, client_token="t", stance="agree"),
            opinion(8, client_token="t", text="Comment 7"),
        ]
    )
    assert texts(store, ArticleName("a", url)) == ["Comment 7", "Comment 2", "Comment 1", "Comment 3"]
    assert texts(store, ArticleName("a", None)) == ["Comment 7", "Comment 1", "Comment 3"]
    assert texts(store, ArticleName(None, url)) == ["Comment 2", "Comment 3"]
    newest = store.stances.towards(ArticleName("a", None), PREMISE, most=1, most_a_source=1)[0]
    assert (newest.stance, newest.source, newest.moderator) == ("disagree", "moderator:1", True)


@pytest.mark.parametrize("url", [None, "https://news.example/a"])
def test_an_articles_opinions_are_found_by_an_index(store: Store, url: str | None) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *rest: Any) -> None:
        asked.append((statement, parameters))

    store.check()
    engine = store.database._engine
    event.listen(engine, "before_cursor_execute", note)
    assert texts(store, ArticleName("a", url)) == []
    event.remove(engine, "before_cursor_execute", note)
    statement, parameters = asked[-1]
    explain = "EXPLAIN QUERY PLAN " if store.database.dialect == "sqlite" else "EXPLAIN "
    with store.database.begin() as connection:
        if store.database.dialect == "postgresql":  # so small a table would be read whole
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = str(connection.exec_driver_sql(explain + statement, parameters).all())
    assert "ix_feedback_article_id" in plan


def test_no_source_crowds_out_the_others(store: Store) -> None:
    store.feedback.keep([opinion(1), *(opinion(i, "moderator:2") for i in range(2, 40))])
    found = texts(store, ArticleName("a", None), most_a_source=3)
    assert found == ["Comment 39", "Comment 38", "Comment 37", "Comment 1"]


def test_what_was_touched_lately_is_told_with_a_mark_that_changes(store: Store) -> None:
    store.feedback.keep([opinion(1), opinion(2), opinion(3, article_id="b")])
    assert set(store.stances.touched(BEGIN + timedelta(minutes=3))) == {ArticleName("b", None)}
    before = store.stances.touched(BEGIN)
    assert before[ArticleName("a", None)][0] == 2
    store.feedback.keep([opinion(4)])
    after = store.stances.touched(BEGIN)
    assert after[ArticleName("a", None)] != before[ArticleName("a", None)]
    assert after[ArticleName("b", None)] == before[ArticleName("b", None)]
