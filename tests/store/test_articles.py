"""Registered premises, on both databases."""

from app.schemas import ArticleRecord, ArticleRegistration
from app.store import Store


def test_put_replace_get_and_delete(store: Store) -> None:
    url = "https://news.example/1"
    assert store.articles.put("a", ArticleRegistration(premise="Ban cars", url=url, title="Cars"))
    assert not store.articles.put("a", ArticleRegistration(premise="Ban all cars", url=url))
    assert store.articles.get("a") == ArticleRecord(id="a", premise="Ban all cars", url=url, title=None)
    assert store.articles.premises(["a", "b"], [url]) == ({"a": "Ban all cars"}, {url: "Ban all cars"})
    assert store.articles.delete("a")
    assert not store.articles.delete("a")
    assert store.articles.get("a") is None
    assert store.articles.premises([], []) == ({}, {})


def test_a_list_of_claims_is_kept_in_order_until_it_is_replaced(store: Store) -> None:
    url, claims = "https://news.example/1", ["Ban cars", "Ban phones 🚲", "Ban cars"]
    store.articles.put("a", ArticleRegistration(premise=claims, url=url))
    store.articles.put("b", ArticleRegistration(premise=claims[:1]))
    assert store.articles.get("a") == ArticleRecord(id="a", premise=claims, url=url, title=None)
    assert store.articles.premises(["a", "b"], [url]) == ({"a": claims, "b": claims[:1]}, {url: claims})
    store.articles.put("a", ArticleRegistration(premise="Ban cars", url=url))
    assert store.articles.get("a") == ArticleRecord(id="a", premise="Ban cars", url=url, title=None)
    assert store.articles.premises(["a"], [url]) == ({"a": "Ban cars"}, {url: "Ban cars"})


def test_of_several_with_one_url_the_last_one_counts(store: Store) -> None:
    for name in ("old", "new"):
        store.articles.put(name, ArticleRegistration(premise=name, url="https://news.example/same"))
    assert store.articles.premises([], ["https://news.example/same"])[1] == {
        "https://news.example/same": "new"
    }
