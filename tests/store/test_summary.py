"""`GET /v1/articles/{id}/summary`: counts, and shares corrected for the errors the bundle states."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.schemas import ArticleRegistration
from app.store.comments import StoredComment
from models import load_bundle, save_bundle

Serve = Callable[..., AbstractContextManager[Any]]
Make = Callable[..., StoredComment]
STANCE = {
    "split": "test",
    "sources": ["arc"],
    "counts": {
        "agree": {"agree": 60, "disagree": 9, "neutral": 6, "uncertain": 25},
        "disagree": {"agree": 12, "disagree": 55, "neutral": 8, "uncertain": 25},
        "neutral": {"agree": 10, "disagree": 10, "neutral": 50, "uncertain": 30},
    },
}
CIVILITY = {
    "split": "test",
    "sources": ["jigsaw-toxic-comments"],
    "threshold": 0.4,
    "counts": {"civil": {"civil": 950, "uncivil": 50}, "uncivil": {"civil": 60, "uncivil": 240}},
}


@pytest.fixture(scope="module")
def honest_releases(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that states how often it errs, and one that does not."""
    root = tmp_path_factory.mktemp("releases")
    bundle = load_bundle(bundle_path)
    metrics = {"stance": {"confusion": STANCE}, "civility": {"confusion": CIVILITY}}
    save_bundle(root / "2026.3.0", bundle.civility, bundle.stance, version="2026.3.0", metrics=metrics)
    save_bundle(root / "2026.4.0", bundle.civility, bundle.stance, version="2026.4.0")
    return root


@pytest.fixture
def running(serve: Serve, honest_releases: Path, database_url: str) -> Iterator[Any]:
    with serve(
        releases=honest_releases, bundle_version="2026.3.0", database_url=database_url, database_timeout_s=30
    ) as running:
        yield running


def fill(running: Any, comment: Make, model: str, article: str = "a") -> None:
    told = {"agree": 30, "disagree": 40, "neutral": 10, "uncertain": 20}
    running.service.store.articles.put(article, ArticleRegistration(premise="Ban cars"))
    running.service.store.comments.keep(
        comment(
            f"{stance} {n}",
            article_id=article,
            stance=stance,
            model=model,
            toxicity=0.45 if n % 4 == 0 else 0.1,
            hour=0 if n % 2 else 30,
        )
        for stance, count in told.items()
        for n in range(count)
    )
    running.service.store.comments.keep([comment("Kein Englisch.", 0, None, article_id=article, model=model)])


def get(running: Any, path: str) -> Any:
    return httpx.get(f"{running.url}/v1/articles/{path}", timeout=60, trust_env=False)


def test_shares_are_corrected_for_the_known_errors(running: Any, comment: Make) -> None:
    fill(running, comment, "2026.3.0")
    found = get(running, "a/summary").json()
    assert (found["article"], found["premise"], found["comments"]) == ("a", "Ban cars", 101)
    assert found["models"] == {"2026.3.0": 101}
    stance = found["stance"]
    assert (stance["judged"], stance["undecided"], stance["adjusted"]) == (100, 20, True)
    assert stance["basis"] == "2026.3.0: arc (test split)"
    disagree = stance["shares"]["disagree"]
    assert disagree["count"] == 40
    assert disagree["low"] < disagree["share"] < disagree["high"]
    assert 0.5 < disagree["share"] < 0.75  # more than is counted, since many are uncertain or misjudged
    assert sum(one["share"] for one in stance["shares"].values()) == pytest.approx(1, abs=1e-3)
    # Rogan and Gladen: 26 of 100 are called uncivil, at the threshold that the bundle states.
    uncivil = found["civility"]["shares"]["uncivil"]
    assert uncivil["count"] == 26
    assert uncivil["share"] == pytest.approx((0.26 + 0.95 - 1) / (0.8 + 0.95 - 1), abs=1e-3)
    cells = {(one["stance"], one["civility"]): one for one in found["cells"]}
    assert cells["disagree", "uncivil"]["count"] == 10
    assert cells["uncertain", "civil"]["share"] is None
    assert sum(one["share"] or 0 for one in found["cells"]) == pytest.approx(1, abs=1e-3)
    assert [(one["begin"], one["comments"]) for one in found["periods"]] == [
        ("2026-11-02T00:00:00+00:00", 51),
        ("2026-11-03T00:00:00+00:00", 50),
    ]
    assert get(running, "a/summary").json() == found


def test_without_known_errors_it_says_unadjusted(running: Any, comment: Make) -> None:
    fill(running, comment, "2026.4.0")
    fill(running, comment, "1999.1.0", article="gone")
    for article, model in (("a", "2026.4.0"), ("gone", "1999.1.0")):
        stance = get(running, f"{article}/summary").json()["stance"]
        assert not stance["adjusted"]
        assert stance["basis"] == f"unadjusted: no error rates are known of {model}"
        disagree = stance["shares"]["disagree"]
        assert disagree["share"] == 0.5  # of those with a label
        assert disagree["low"] < 0.5 < disagree["high"]


def test_periods_and_bounds(running: Any, comment: Make) -> None:
    fill(running, comment, "2026.3.0")
    counts = {by: len(get(running, f"a/summary?by={by}").json()["periods"]) for by in ("hour", "day", "week")}
    assert counts == {"hour": 2, "day": 2, "week": 1}
    later = get(running, "a/summary?since=2026-11-03T00:00:00Z").json()
    assert later["comments"] == 50
    assert (
        get(running, "a/summary?until=2026-11-01T00:00:00Z").json()["stance"]["shares"]["agree"]["share"]
        is None
    )
    for wrong in ("by=year", "since=yesterday", "since=2026-11-03T00:00:00"):
        assert get(running, f"a/summary?{wrong}").status_code == 422
    many = [comment(str(n), hour=n, article_id="long") for n in range(201)]
    running.service.store.comments.keep(many)
    refused = get(running, "long/summary?by=hour")
    assert (refused.status_code, refused.json()["errors"][0]["limit"]) == (422, 200)


def test_an_article_of_which_nothing_is_known(server: Any) -> None:
    assert get(server, "unknown/summary").status_code == 404
    refused = httpx.put(f"{server.url}/v1/articles/x/summary", json={"premise": "x"}, trust_env=False)
    assert refused.status_code == 422
    assert "must not end in /summary" in refused.json()["detail"]
    created = httpx.put(f"{server.url}/v1/articles/2026/empty", json={"premise": "x"}, trust_env=False)
    assert created.status_code == 201
    assert get(server, "2026/empty/summary").json()["comments"] == 0


def test_statements_that_cannot_be_used_count_as_none() -> None:
    from app.error_rates import error_rates_of

    assert error_rates_of({"stance": {"confusion": STANCE}}, "stance") is not None
    broken: list[Any] = [
        {},
        {"stance": 3},
        {"stance": {"confusion": {"counts": {"agree": {}}}}},
        {"stance": {"confusion": STANCE | {"counts": STANCE["counts"] | {"neutral": {"agree": -1}}}}},  # type: ignore[operator]
        {"stance": {"confusion": STANCE | {"counts": STANCE["counts"] | {"neutral": {}}}}},  # type: ignore[operator]
        {"stance": {"confusion": STANCE | {"counts": STANCE["counts"] | {"neutral": {"maybe": 1}}}}},  # type: ignore[operator]
    ]
    assert [error_rates_of(json.loads(json.dumps(one)), "stance") for one in broken] == [None] * len(broken)
