"""Stance adapted to an article by its own labels: in a real service, with a real store."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import numpy as np
import pytest

from app.adaptation.learning import FEWEST_COMMENTS, MOST_COMMENTS, learn
from app.store.naming import digest_of
from app.store.stances import StanceOpinion
from models import STANCES, StanceModel

Serve = Callable[..., AbstractContextManager[Any]]

PREMISE = "The city should close the square to cars."
OTHER = "School phones ought to be banned."
ARTICLE = {"id": "square", "premise": PREMISE}
COMMENT = {"text": "The bus came late again this morning.", "id": "c1"}
AGREE, DISAGREE = STANCES.index("agree"), STANCES.index("disagree")


def opinions(
    n: int, stance: str = "disagree", source: str = "moderator:1", role: str = "moderator", begin: int = 0
) -> list[StanceOpinion]:
    texts = [f"The square, number {i}, as I see it." for i in range(begin, begin + n)]
    return [
        StanceOpinion(f"{source}-{i}", source, role == "moderator", digest_of(text), text, stance, ["en"])
        for i, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def model(tiny: Any) -> StanceModel:
    found: StanceModel = tiny.fit_stance()
    return found


def adapted(model: StanceModel, said: list[StanceOpinion]) -> np.ndarray:
    """What becomes of a comment of which the general model knows nothing."""
    even, found = np.full(3, 1 / 3), learn(model, "1", PREMISE, said)
    return even if found is None else found.probabilities(even)


def test_labels_move_the_stance_the_more_of_them_there_are(model: StanceModel) -> None:
    sizes = (FEWEST_COMMENTS - 1, FEWEST_COMMENTS, 20, 50)
    none, few, some, many = (adapted(model, opinions(size))[DISAGREE] for size in sizes)
    assert 1 / 3 == none < few < some < many < 1


def test_the_same_labels_in_any_order_give_the_same_head_of_the_same_name(model: StanceModel) -> None:
    said = [*opinions(8), *opinions(8, "agree", "moderator:2", begin=4)]
    one, other = learn(model, "1", PREMISE, said), learn(model, "1", PREMISE, said[8:] + said[:8])
    assert one is not None
    assert other is not None
    assert (one.version, one.labels) == (other.version, other.labels)
    even = np.full(3, 1 / 3)
    np.testing.assert_allclose(one.probabilities(even), other.probabilities(even), atol=1e-9)
    for changed in (said[1:], opinions(16)):
        differing = learn(model, "1", PREMISE, changed)
        assert differing is not None
        assert differing.version != one.version
    of_another_model = learn(model, "2", PREMISE, said)
    assert of_another_model is not None
    assert of_another_model.version != one.version


def test_readers_alone_change_nothing_and_beside_moderators_little(model: StanceModel) -> None:
    readers = [one for i in range(40) for one in opinions(50, "disagree", f"reader:{i}", "reader")]
    assert adapted(model, readers).tolist() == [1 / 3] * 3
    moderators = [one for i in range(4) for one in opinions(5, "agree", f"moderator:{i}", begin=5 * i)]
    honest, flooded = adapted(model, moderators), adapted(model, [*moderators, *readers])
    assert honest.argmax() == flooded.argmax() == AGREE
    # As a moderator, somebody who is a reader elsewhere counts as a reader.
    both = [*opinions(50, "disagree", "x"), *opinions(1, "disagree", "x", "reader", begin=90)]
    assert adapted(model, both).tolist() == [1 / 3] * 3


def test_one_hostile_moderator_does_not_outweigh_the_others(model: StanceModel) -> None:
    honest = [one for i in range(4) for one in opinions(8, "agree", f"moderator:{i}", begin=8 * i)]
    hostile = opinions(500, "disagree", "moderator:x", begin=100)
    found = learn(model, "1", PREMISE, [*honest, *hostile])
    assert found is not None
    assert found.labels == MOST_COMMENTS
    assert adapted(model, [*honest, *hostile]).argmax() == AGREE


def test_opinions_in_other_languages_do_not_count(model: StanceModel) -> None:
    said = [
        StanceOpinion(f"{i}", "m", True, digest_of(f"Nein {i}"), f"Nein {i}", "disagree", ["de"])
        for i in range(20)
    ]
    assert learn(model, "1", PREMISE, said) is None


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite3'}"


@pytest.fixture
def running(serve: Serve, database_url: str) -> Iterator[Any]:
    with serve(adaptation=True, database_url=database_url, database_timeout_s=30) as running:
        yield running


def ask(url: str, article: dict[str, Any] = ARTICLE, **more: Any) -> dict[str, Any]:
    asked = {"comment": COMMENT, "article": article} | more
    answer = httpx.post(f"{url}/v1/score", json=asked, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def label(url: str, n: int, stance: str = "disagree", article: dict[str, Any] = ARTICLE) -> None:
    items = [
        {
            "comment": {"text": f"The square, number {i}, as I see it.", "language": "en"},
            "article": article,
            "stance": stance,
            "source": f"moderator:{i % 5}",
            "role": "moderator",
        }
        for i in range(n)
    ]
    sent = httpx.post(f"{url}/v1/feedback", json={"items": items}, timeout=60, trust_env=False)
    assert sent.status_code == 201, sent.text


def wait_for(url: str, seen: Callable[[dict[str, Any]], bool], **asked: Any) -> dict[str, Any]:
    began = time.monotonic()
    while not seen(answer := ask(url, **asked)):
        assert time.monotonic() - began < 30, answer
    return answer


def test_labels_adapt_an_article_in_every_service_within_seconds(
    running: Any, serve: Serve, database_url: str
) -> None:
    general = ask(running.url)
    assert "adaptation" not in general["stance"]
    with serve(adaptation=True, database_url=database_url, database_timeout_s=30) as another:
        assert ask(another.url) == general
        label(running.url, 20)
        answers = [
            wait_for(url, lambda answer: "adaptation" in answer["stance"])
            for url in (running.url, another.url)
        ]
    assert answers[0] == answers[1]
    stance = answers[0]["stance"]
    assert stance["adaptation"]["labels"] == 20
    assert stance["adaptation"]["general"] == general["stance"]["probabilities"]
    assert stance["adaptation"]["general_label"] == general["stance"]["label"]
    assert stance["probabilities"]["disagree"] > general["stance"]["probabilities"]["disagree"]
    assert sum(stance["probabilities"].values()) == pytest.approx(1)
    for name in ("civility", "decision", "language", "model"):
        assert answers[0][name] == general[name]
    # Neither another article nor another premise of the same one is touched.
    for article in (
        {"id": "other", "premise": PREMISE},
        {"id": "square", "premise": OTHER},
        {"premise": PREMISE},
    ):
        assert "adaptation" not in ask(running.url, article)["stance"]
    label(running.url, 30)
    wait_for(running.url, lambda answer: answer["stance"]["adaptation"]["labels"] == 30)


def test_the_registered_premise_and_a_batch_are_adapted_too(running: Any) -> None:
    article = {"id": "registered"}
    httpx.put(f"{running.url}/v1/articles/registered", json={"premise": PREMISE}).raise_for_status()
    label(running.url, 10, article=article)
    wait_for(running.url, lambda answer: "adaptation" in answer["stance"], article=article)
    items = [{"comment": {"text": f"{COMMENT['text']} {i}"}, "article": article} for i in range(5)]
    answers = httpx.post(f"{running.url}/v1/score/batch", json={"items": items}, timeout=60).json()["results"]
    assert {one["stance"]["adaptation"]["labels"] for one in answers} == {10}
    assert len({one["stance"]["adaptation"]["version"] for one in answers}) == 1


def test_of_registered_claims_each_is_adapted_by_its_own_labels(running: Any) -> None:
    article = {"id": "claims"}
    body = {"premise": [OTHER, PREMISE]}
    httpx.put(f"{running.url}/v1/articles/claims", json=body, timeout=60).raise_for_status()
    general = ask(running.url, article)["stances"]
    label(running.url, 10, article=article | {"premise": PREMISE})
    found = wait_for(running.url, lambda answer: "adaptation" in answer["stances"][1], article=article)
    first, second = found["stances"]
    assert first == found["stance"] == general[0]
    assert (second["premise"], second["adaptation"]["labels"]) == (PREMISE, 10)
    assert second["adaptation"]["general"] == general[1]["probabilities"]
    assert (
        ask(running.url, article | {"premise": [PREMISE]})["stance"]["probabilities"]
        == (second["probabilities"])
    )


def test_what_is_stored_and_counted_is_the_general_label(running: Any) -> None:
    label(running.url, 40)
    answer = wait_for(running.url, lambda answer: "adaptation" in answer["stance"], store="text")
    (kept,) = running.service.store.comments.find([COMMENT["id"]])
    assert kept.stance == answer["stance"]["adaptation"]["general_label"]
    assert kept.stance_probabilities == answer["stance"]["adaptation"]["general"]


def test_it_is_off_unless_switched_on(serve: Serve, database_url: str) -> None:
    with serve(database_url=database_url, database_timeout_s=30) as plain:
        label(plain.url, 20)
        assert "adaptation" not in ask(plain.url)["stance"]


def test_without_a_database_scoring_goes_on(serve: Serve, tmp_path: Any) -> None:
    with serve(
        adaptation=True, open=True, database_url=f"sqlite:///{tmp_path / 'no' / 'such.sqlite3'}"
    ) as alone:
        assert "adaptation" not in ask(alone.url)["stance"]
