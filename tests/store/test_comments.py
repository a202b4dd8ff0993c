"""Stored comments: which are kept, and how they are counted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.store import Store
from app.store.comments import StoredComment
from app.store.naming import digest_of

Make = Callable[..., StoredComment]
HOUR = datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_a_comment_comes_back_as_it_was_kept(store: Store, comment: Make) -> None:
    kept = comment(
        "Ban them 🚲.",
        id="c1",
        article_id="a",
        article_url="https://news.example/a",
        premise="Ban cars",
        civility={"TOXICITY": 0.25, "INSULT": 0.125},
        stance="agree",
        stance_probabilities={"agree": 0.5, "disagree": 0.25, "neutral": 0.25},
        relevance=0.75,
        reasons=[{"code": "score over threshold", "score": 0.9}],
    )
    store.comments.keep([kept])
    assert store.comments.find(["c1"]) == [kept]
    assert store.comments.find([], [digest_of("Ban them 🚲.")]) == [kept]
    assert store.comments.find(["c2"], [digest_of("other")]) == []


def test_one_that_is_scored_again_is_not_counted_twice(store: Store, comment: Make) -> None:
    first, second = comment(id="c", article_id="a"), comment(id="c", article_id="a", hour=1, model="2026.3.0")
    store.comments.keep([first, second])
    store.comments.keep([first])  # a request that was held up
    assert store.comments.find(["c"]) == [second]
    other_article = comment(id="c", article_id="b")
    store.comments.keep([other_article])
    assert len(store.comments.find(["c"])) == 2


def test_without_an_id_the_text_tells(store: Store, comment: Make) -> None:
    store.comments.keep([comment("One.", article_id="a"), comment("Two.", article_id="a")])
    store.comments.keep([comment("One.", article_id="a", hour=1), comment("One.", article_id="b")])
    assert sum(count.count for count in store.comments.count("a", None, {})) == 2


def test_counts_by_model_hour_stance_and_civility(store: Store, comment: Make) -> None:
    store.comments.keep(
        [
            comment("1", article_id="a", stance="agree", toxicity=0.2),
            comment("2", article_id="a", stance="agree", toxicity=0.5),
            comment("3", article_id="a", stance="agree", toxicity=0.6, model="2026.3.0"),
            comment("4", article_id="a", stance=None, toxicity=None, hour=30),
            comment("5", article_url="https://news.example/a", stance="agree", toxicity=0.0),
            comment("6", article_id="b", stance="agree"),
        ]
    )
    url = "https://news.example/a"
    counts = store.comments.count("a", url, {"2026.3.0": 0.7})
    found = {(one.model, one.hour, one.stance, one.uncivil): one.count for one in counts}
    assert found == {
        ("2026.2.0", HOUR, "agree", False): 2,
        ("2026.2.0", HOUR, "agree", True): 1,
        ("2026.3.0", HOUR, "agree", False): 1,
        ("2026.2.0", HOUR + timedelta(hours=30), None, None): 1,
    }
    assert store.comments.models_of("a", url) == ["2026.2.0", "2026.3.0"]
    later = store.comments.count("a", url, {}, since=HOUR + timedelta(hours=1))
    assert [one.count for one in later] == [1]
    assert sum(one.count for one in store.comments.count("a", None, {}, until=HOUR + timedelta(hours=1))) == 3


def test_nul_is_kept_as_both_databases_can(store: Store, comment: Make) -> None:
    store.comments.keep([comment("a\0b", id="c\0")])
    (kept,) = store.comments.find([], [digest_of("a\0b")])
    assert (kept.text, kept.id) == ("a\ufffdb", "c\ufffd")
