"""Stances: towards several claims, in a thread, by sentence, and only where they are meant to work."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.encoders import with_encoder_settings
from app.schemas import ScoreAnswer, ScoreRequest
from app.scorer import Scorer
from app.settings import Settings
from models import Bundle, load_bundle

Serve = Callable[..., AbstractContextManager[Any]]

PREMISE = "The city should close the square to cars."
OTHER = "School phones ought to be banned."
GERMAN = "Die Stadt sollte den Platz für Autos sperren, und zwar sofort."
DISAGREE = "I disagree with the author."


def ask(http: httpx.Client, comment: dict, article: dict | None = None, **rest: object) -> dict:
    response = http.post("/v1/score", json={"comment": comment, "article": article, **rest})
    assert response.status_code == 200, response.text
    answer: dict = response.json()
    return answer


def told(stance: dict) -> dict:
    return {name: stance[name] for name in ("probabilities", "relevance", "label", "confidence")}


def test_the_answer_says_where_the_premise_came_from(http: httpx.Client) -> None:
    http.put("/v1/articles/source", json={"premise": PREMISE})
    comment = {"text": DISAGREE}
    for article, source in (
        ({"premise": PREMISE, "id": "source"}, "premise"),
        ({"id": "source", "title": PREMISE}, "registered"),
        ({"title": PREMISE, "text": OTHER}, "title"),
        ({"title": "Should the square be closed?", "text": PREMISE}, "lead"),
        ({"title": "Letters to the editor", "text": PREMISE}, "lead"),
    ):
        stance = ask(http, comment, article)["stance"]
        assert (stance["premise"], stance["premise_source"]) == (PREMISE, source)


def test_several_claims_get_a_stance_each(http: httpx.Client) -> None:
    comment = {"text": DISAGREE, "parent": {"text": "Well said."}}
    answer = ask(http, comment, {"premise": [OTHER, PREMISE, OTHER]}, explain=True)
    alone = [ask(http, comment, {"premise": claim}, explain=True) for claim in (OTHER, PREMISE, OTHER)]
    assert answer["stances"] == [one["stance"] for one in alone]
    assert answer["stance"] == answer["stances"][0]
    assert [stance["premise"] for stance in answer["stances"]] == [OTHER, PREMISE, OTHER]
    assert "stances" not in alone[0]
    (only,) = ask(http, comment, {"premise": [PREMISE]})["stances"]
    assert only["premise"] == PREMISE
    assert "stances" not in ask(http, comment, {"premise": [], "title": PREMISE})


def test_claims_given_come_before_the_registered_one(http: httpx.Client) -> None:
    http.put("/v1/articles/claims", json={"premise": OTHER})
    answer = ask(http, {"text": DISAGREE}, {"id": "claims", "premise": [PREMISE]})
    assert answer["stance"]["premise"] == PREMISE
    assert ask(http, {"text": DISAGREE}, {"id": "claims", "premise": []})["stance"]["premise"] == OTHER


def test_a_reply_is_read_in_the_light_of_its_parent(http: httpx.Client) -> None:
    reply, article = "No, a terrible idea.", {"premise": PREMISE}
    alone, below_critic, below_fan = (
        ask(http, {"text": reply} | parent, article)
        for parent in (
            {},
            {"parent": {"text": "Nonsense, this is simply wrong."}},
            {"parent": {"text": "Well said, exactly right."}},
        )
    )
    assert alone["stance"]["label"] == "disagree"
    assert below_critic["reply_stance"]["label"] == "disagree"
    assert below_critic["stance"]["label"] == "agree"
    assert below_fan["stance"]["label"] == "disagree"
    assert "premise_source" not in below_critic["reply_stance"]


def test_the_stance_to_a_parent_has_a_floor_of_its_own(bundle_path: Path) -> None:
    bundle = load_bundle(bundle_path)
    bundle.stance.floor_, bundle.stance.replies_.floor_ = 1.0, 0.0
    answer = one_answer(bundle, comment={"text": DISAGREE, "parent": {"text": "Well said."}})
    assert answer.stance is not None
    assert answer.reply_stance is not None
    assert (answer.stance.label, answer.reply_stance.label) == ("uncertain", "disagree")


def test_an_answer_in_a_batch_is_that_of_the_comment_alone(http: httpx.Client) -> None:
    items = [
        {"comment": {"text": text, **parent}, "article": {"premise": premise}, "explain": explain}
        for text in (DISAGREE, "Well said. When does the council vote?")
        for parent in ({}, {"parent": {"text": "Nonsense, this is simply wrong."}})
        for premise in (PREMISE, [OTHER, PREMISE])
        for explain in (False, True)
    ]
    together = http.post("/v1/score/batch", json={"items": items}).json()["results"]
    assert together == [http.post("/v1/score", json=item).json() for item in items]


def test_what_is_in_flight_twice_is_judged_once(
    serve: Serve, until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first answer loads the encoder, so the next ones seem dear: nothing is to be split for that.
    with serve(micro_batch_budget_ms=10_000) as running:
        model = running.service.shelf.scorer.bundle.stance
        seen: list[int] = []
        assess = model.assess

        def counting(X: Sequence[tuple[str, str]], parents: Sequence[str | None] | None = None) -> Any:
            seen.append(len(X))
            return assess(X, parents)

        monkeypatch.setattr(model, "assess", counting)
        request = {"comment": {"text": DISAGREE}, "article": {"premise": PREMISE}}

        async def ask_at_once() -> list[dict]:
            async with httpx.AsyncClient(base_url=running.url, timeout=60, trust_env=False) as http:
                with running.busy():
                    asked = asyncio.gather(*(http.post("/v1/score", json=request) for _ in range(8)))
                    # admitted is not yet waiting: those taken, and those behind them, must be all
                    batcher = running.service.batcher
                    await asyncio.to_thread(until, lambda: batcher._expected + sum(batcher.waiting) == 8)
                return [answer.json() for answer in await asked]

        answers = asyncio.run(ask_at_once())
        assert all(answer == answers[0] for answer in answers)
        assert set(seen) == {1}
        assert len(seen) <= 2  # the first of them may have been taken alone


def test_a_language_that_is_not_read_gives_no_stance(http: httpx.Client) -> None:
    english, german = {"text": DISAGREE}, {"text": GERMAN}
    for comment, article in ((german, {"premise": PREMISE}), (english, {"premise": GERMAN})):
        answer = ask(http, comment, article)
        assert (answer["stance"], answer["stance_omitted"]) == (None, "language")
    below = ask(http, english | {"parent": german}, {"premise": PREMISE})
    assert below["reply_stance"] is None
    assert below["stance"] == ask(http, english, {"premise": PREMISE})["stance"]
    assert ask(http, german, {"premise": [PREMISE, OTHER]})["stances"] is None
    mixed = ask(http, english, {"premise": [GERMAN, PREMISE]})
    assert (mixed["stance"], mixed["stance_omitted"], mixed["stances"][0]) == (None, "language", None)
    assert mixed["stances"][1]["premise"] == PREMISE


def test_no_side_is_told_of_a_comment_that_is_likely_about_something_else(bundle_path: Path) -> None:
    bundle = load_bundle(bundle_path)
    texts = (*bundle_texts(), DISAGREE)
    by_floor = {
        floor: [one_answer(bundle, relevance_floor=floor, comment={"text": text}) for text in texts]
        for floor in (0.0, 0.5)
    }
    off_topic = 0
    for free, held in zip(by_floor[0.0], by_floor[0.5], strict=True):
        assert free.stance is not None
        assert held.stance is not None
        assert held.stance.model_copy(update={"label": free.stance.label}) == free.stance
        expected = "uncertain" if held.stance.relevance < 0.5 else free.stance.label
        assert held.stance.label == expected
        off_topic += held.stance.relevance < 0.5 and free.stance.label != "uncertain"
    assert off_topic > 0
    *_, on_topic = by_floor[0.5]
    assert on_topic.stance is not None
    assert on_topic.stance.label == "disagree"


def test_sentences_tell_what_makes_up_the_stance(http: httpx.Client) -> None:
    text = "🎉🎉 The bus was late. Nonsense, this is simply wrong. I walked there on Monday."
    answer = ask(http, {"text": text, "parent": {"text": "Well said."}}, {"premise": PREMISE}, explain=True)
    sentences = answer["stance"]["sentences"]
    first = sentences[0]
    assert text[first["begin"] : first["end"]] == "Nonsense, this is simply wrong."
    assert (first["stance"], first["score"] > 0) == ("disagree", True)
    utf16 = text.encode("utf-16-le")[2 * first["utf16_begin"] : 2 * first["utf16_end"]]
    assert utf16.decode("utf-16-le") == text[first["begin"] : first["end"]]
    weights = [abs(sentence["score"]) for sentence in sentences]
    assert weights == sorted(weights, reverse=True)
    assert sorted(text[s["begin"] : s["end"]] for s in sentences) == sorted(
        ["🎉🎉 The bus was late.", "Nonsense, this is simply wrong.", "I walked there on Monday."]
    )
    assert "sentences" not in answer["reply_stance"]
    assert "sentences" not in ask(http, {"text": text}, {"premise": PREMISE})["stance"]


def test_a_comment_of_very_many_sentences_is_not_taken_apart(http: httpx.Client) -> None:
    for number, claims, expected in ((24, 1, 24), (25, 1, 0), (12, 2, 12), (13, 2, 0)):
        comment = {"text": "The bus was late. " * number}
        stance = ask(http, comment, {"premise": [PREMISE, OTHER][:claims]}, explain=True)["stance"]
        assert len(stance["sentences"]) == expected


def test_the_encoders_take_threads_and_memory_from_the_settings(shipped_bundle: Bundle) -> None:
    settings = Settings(encoder_threads=2, encoder_remembered=0)
    changed = with_encoder_settings(shipped_bundle, settings)
    for name in ("civility", "stance"):
        before, after = (getattr(bundle, name).encoder for bundle in (shipped_bundle, changed))
        assert (before.threads, before.remembered) == (1, 4_096)
        assert (after.threads, after.remembered) == (2, 0)
        assert after.onnx is before.onnx
    assert with_encoder_settings(changed, settings).stance is changed.stance
    pairs = [(PREMISE, DISAGREE), (PREMISE, "Well said.")]
    found = [bundle.stance.assess(pairs).probabilities for bundle in (shipped_bundle, changed)]
    assert found[1] == pytest.approx(found[0], abs=1e-3)


def bundle_texts() -> tuple[str, ...]:
    return (
        "The bus came late again this morning.",
        "Thank you for this careful report. The bus came late again this morning.",
        "Where can I read the full study? The bus came late again this morning.",
    )


def one_answer(bundle: Bundle, relevance_floor: float = 0.5, **request: Any) -> ScoreAnswer:
    asked = ScoreRequest.model_validate({"article": {"premise": PREMISE}, **request})
    (answer,) = Scorer(bundle, Settings(relevance_floor=relevance_floor)).score([asked])
    return answer
