"""Feedback: nothing twice, the newest of a token, and joined with what was scored."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.errors import ReusedKeyError
from app.feedback import Feedback, SpanFeedback
from app.schemas import ArticleRegistration
from app.store import Store
from app.store.comments import StoredComment
from app.store.feedback import RepeatableRequest

Make = Callable[..., StoredComment]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def said(text: str, hour: int = 0, **more: object) -> Feedback:
    return Feedback(**{"source": "mod", "text": text, "received": NOON + timedelta(hours=hour)} | more)  # type: ignore[arg-type]


def test_an_opinion_comes_back_as_it_was_given(store: Store) -> None:
    given = said(
        "Fool 🤡.",
        scores={"INSULT": 1.0, "SPAM": 0.5},
        stance="disagree",
        premise="Ban cars",
        spans=[SpanFeedback("INSULT", 0, 4, 1.0)],
        languages=["en"],
        context=["somewhere"],
        role="moderator",
        comment_id="c1",
        article_id="a",
        article_url="https://news.example/a",
        community_id="news.example",
        client_token="t",
        session_id="s",
    )
    store.feedback.add(given)
    assert store.feedback.latest() == [given]


def test_of_the_same_token_the_newest_counts(store: Store) -> None:
    for hour, score in ((0, 1.0), (2, 0.0), (1, 0.5)):
        store.feedback.add(said("x", hour, scores={"INSULT": score}, client_token="t", community_id="one"))
    store.feedback.add(said("x", 0, scores={"INSULT": 0.25}, client_token="t", community_id="other"))
    store.feedback.add(
        said("x", 0, scores={"INSULT": 0.75}, client_token="t", community_id="one", source="ann")
    )
    assert sorted(one.scores["INSULT"] for one in store.feedback.latest()) == [0.0, 0.25, 0.75]
    assert len(list(store.feedback.iterate(every=True))) == 5


def test_of_a_list_the_last_counts(store: Store) -> None:
    store.feedback.keep([said(str(n), client_token="t") for n in range(20)])
    assert [one.text for one in store.feedback.latest()] == ["19"]


def test_one_source_cannot_replace_what_another_says(store: Store) -> None:
    store.feedback.add(said("x", scores={"INSULT": 1.0}, client_token="t"))
    store.feedback.add(said("x", 1, scores={"INSULT": 0.0}, client_token="t", source="stranger"))
    assert {one.source: one.scores["INSULT"] for one in store.feedback.latest()} == {
        "mod": 1.0,
        "stranger": 0.0,
    }


def test_many_are_read_in_order_by_time_and_community(store: Store) -> None:
    store.feedback.keep([said(str(n), community_id=f"c{n % 2}") for n in range(1_203)])
    store.feedback.keep([said(str(1_203 + n), 24) for n in range(7)])
    assert [int(one.text) for one in store.feedback.latest()] == list(range(1_210))
    assert len(list(store.feedback.iterate(community="c1"))) == 601
    assert len(list(store.feedback.iterate(since=NOON + timedelta(hours=1)))) == 7
    assert len(list(store.feedback.iterate(until=NOON + timedelta(hours=1)))) == 1_203


def test_a_request_that_comes_again_keeps_nothing_more(store: Store) -> None:
    request = RepeatableRequest("key", "f" * 64)
    first, replayed = store.feedback.keep([said("x"), said("y")], request)
    assert not replayed
    assert store.feedback.keep([said("x"), said("y")], request) == (first, True)
    assert [kept.uid for kept in store.feedback.iterate()] == first.ids
    with pytest.raises(ReusedKeyError):
        store.feedback.keep([said("z")], RepeatableRequest("key", "0" * 64))
    assert len(store.feedback.latest()) == 2


def test_a_request_that_comes_many_times_at_once_is_kept_once(store: Store) -> None:
    store.check()
    receipts: list[tuple[list[str], bool]] = []
    barrier = threading.Barrier(6)

    def send() -> None:
        barrier.wait()
        receipt, replayed = store.feedback.keep([said("x")], RepeatableRequest("key", "f" * 64))
        receipts.append((receipt.ids, replayed))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.feedback.latest()) == 1
    assert len({tuple(ids) for ids, _ in receipts}) == 1
    assert sorted(replayed for _, replayed in receipts) == [False] + [True] * 5


def test_what_postgresql_could_not_index_or_keep(store: Store) -> None:
    long = "x" * 10_000
    given = said("a\0b", source=long, community_id=long, client_token=long, session_id=long)
    store.feedback.add(given)
    (kept,) = store.feedback.iterate(community=long)
    assert (kept.feedback.text, kept.feedback.client_token) == ("a\ufffdb", long)


def test_opinions_are_joined_with_what_was_scored(store: Store, comment: Make) -> None:
    scored = comment("Fool.", id="c1", article_id="a", premise="Ban cars", model="2026.9.0")
    store.comments.keep([scored, comment("Fool.", id="c2", article_id="b", hour=1)])
    store.articles.put("r", ArticleRegistration(premise="registered"))
    store.articles.put("s", ArticleRegistration(premise=["the first", "the second"]))
    store.feedback.keep(
        [
            said("Fool.", comment_id="c1", article_id="a"),
            said("Fool.", comment_id="c1"),
            said("Fool."),
            said("Never scored.", article_id="r"),
            said("Never scored.", article_id="s"),
            said("Fool.", comment_id="c1", article_id="elsewhere", premise="its own"),
        ]
    )
    found = [
        (one.scored and (one.scored.id, one.scored.model), one.premise, one.text)
        for one in store.judged.iterate()
    ]
    assert found == [
        (("c1", "2026.9.0"), "Ban cars", "Fool."),
        (("c1", "2026.9.0"), "Ban cars", "Fool."),
        (("c2", "2026.2.0"), None, "Fool."),
        (None, "registered", "Never scored."),
        (None, "the first", "Never scored."),
        (None, "its own", "Fool."),
    ]
