"""One comment in, one answer out."""

from pathlib import Path

import httpx
import pytest

from app.service import Service
from models import ATTRIBUTES, STANCES

PREMISE = "The city should ban cars from its centre"


def score(http: httpx.Client, **body: object) -> dict:
    response = http.post("/v1/score", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_an_answer_has_civility_stance_and_decision(http: httpx.Client, bundle_path: Path) -> None:
    answer = score(
        http,
        comment={"text": "I disagree with the premise: shops need deliveries.", "id": "c1"},
        article={"premise": PREMISE},
    )
    assert answer["id"] == "c1"
    assert answer["model"] == bundle_path.name
    assert answer["language"] == "en"
    assert set(answer["civility"]["attributes"]) == set(ATTRIBUTES)
    assert all(0 <= value <= 1 for value in answer["civility"]["attributes"].values())
    assert answer["civility"]["score"] == pytest.approx(1 - answer["civility"]["attributes"]["TOXICITY"])
    assert set(answer["stance"]["probabilities"]) == set(STANCES)
    assert sum(answer["stance"]["probabilities"].values()) == pytest.approx(1, abs=1e-9)
    assert answer["stance"]["premise"] == PREMISE
    assert answer["stance"]["confidence"] == max(answer["stance"]["probabilities"].values())
    assert answer["decision"]["action"] in {"approve", "review", "reject"}
    assert {"stance_omitted", "civility_omitted", "reply_stance", "spans"}.isdisjoint(answer)


def test_without_a_premise_there_is_no_stance(http: httpx.Client) -> None:
    answer = score(http, comment={"text": "What a lovely day it is today."})
    assert answer["stance"] is None
    assert answer["stance_omitted"] == "no premise"
    assert answer["id"] is None


def test_an_unregistered_article_has_no_premise_of_its_own(http: httpx.Client) -> None:
    comment = {"text": "What a lovely day it is today."}
    assert score(http, comment=comment, article={"id": "nobody knows it"})["stance"] is None
    titled = score(http, comment=comment, article={"id": "nobody knows it", "title": "Days are lovely"})
    assert titled["stance"]["premise"] == "Days are lovely"


def test_a_reply_has_a_stance_towards_its_parent(http: httpx.Client) -> None:
    answer = score(
        http, comment={"text": "No, that is not true at all.", "parent": {"text": "Cars are clean."}}
    )
    assert answer["reply_stance"]["premise"] == "Cars are clean."
    assert answer["stance"] is None


def test_the_label_is_uncertain_below_the_models_floor(service: Service, http: httpx.Client) -> None:
    floor = service.shelf.scorer.bundle.stance.floor_
    for number in range(50):
        comment = {"text": f"Comment number {number} speaks about the cars and the city."}
        stance = score(http, comment=comment, article={"premise": PREMISE})["stance"]
        likeliest = max(stance["probabilities"], key=stance["probabilities"].get)
        if abs(stance["confidence"] - floor) > 1e-3:
            assert stance["label"] == (likeliest if stance["confidence"] >= floor else "uncertain")


def test_explain_names_code_points_of_the_text(http: httpx.Client) -> None:
    text = "👍🏽 You are a stupid idiot and everybody knows it."
    spans = score(http, comment={"text": text}, explain=True)["spans"]
    for span in spans:
        assert 0 <= span["begin"] < span["end"] <= len(text)
        assert span["attribute"] in ATTRIBUTES
        assert 0 <= span["score"] <= 1


def test_a_language_that_the_model_does_not_know_goes_to_a_person(http: httpx.Client) -> None:
    answer = score(
        http,
        comment={
            "text": "Das ist doch völliger Unsinn, was Sie da über die Stadt schreiben.",
            "parent": {"text": "Autos raus!"},
        },
        article={"premise": PREMISE},
        explain=True,
    )
    assert answer["language"] == "de"
    assert (answer["civility"], answer["civility_omitted"]) == (None, "language")
    assert (answer["stance"], answer["stance_omitted"]) == (None, "language")
    assert answer["reply_stance"] is None
    assert answer["spans"] == []
    assert answer["decision"] == {
        "action": "review",
        "reasons": [{"code": "language not supported", "action": "review"}],
    }


@pytest.mark.parametrize(
    "text",
    ["👍", "👍🏽👍🏽 🎉", "ok", "\u0301" * 500, "a\u0000b", "?!", "١٢٣", "x" * 20_480, "👍" * 5_120],
    ids=["emoji", "emojis", "short", "marks", "nul", "punctuation", "digits", "longest", "longest-utf8"],
)
def test_odd_texts_are_scored(http: httpx.Client, text: str) -> None:
    answer = score(http, comment={"text": text}, article={"premise": PREMISE})
    assert answer["language"] == "en"
    assert answer["civility"] is not None


def test_the_stance_never_changes_the_decision(http: httpx.Client) -> None:
    comment = {"text": "I disagree, this premise is wrong and I oppose it."}
    alone = score(http, comment=comment)
    for premise in (PREMISE, "Cars are the only way to shop", "I oppose everything"):
        assert score(http, comment=comment, article={"premise": premise})["decision"] == alone["decision"]


def test_null_means_left_out(http: httpx.Client) -> None:
    left_out = score(http, comment={"text": "What a lovely day it is today."})
    comment = {"text": "What a lovely day it is today.", "id": None, "language": None, "parent": None}
    assert score(http, comment=comment, article=None) == left_out


def test_another_language_gets_the_attributes_that_its_model_has(http: httpx.Client) -> None:
    article = {"premise": "Os carros devem sair da cidade."}
    said = ("Você é um idiota completo, cala a boca, seu burro.", "Obrigado pela boa reportagem, foi ótima.")
    rude, kind = (score(http, comment={"text": text}, article=article) for text in said)
    assert rude["language"] == kind["language"] == "pt"
    assert rude["civility"]["attributes"].keys() == {"TOXICITY"}
    assert rude["civility"]["attributes"]["TOXICITY"] > 0.5 > kind["civility"]["attributes"]["TOXICITY"]
    assert (rude["stance"], rude["stance_omitted"]) == (None, "language")


def test_spans_count_in_code_points_and_in_utf16(http: httpx.Client) -> None:
    text = "🎉🎉 Thank you for this report, moron."
    spans = score(http, comment={"text": text}, explain=True)["spans"]
    (span,) = (
        one for one in spans if one["attribute"] == "INSULT" and text[one["begin"] : one["end"]] == "moron"
    )
    utf16 = text.encode("utf-16-le")[2 * span["utf16_begin"] : 2 * span["utf16_end"]]
    assert utf16.decode("utf-16-le") == "moron"
