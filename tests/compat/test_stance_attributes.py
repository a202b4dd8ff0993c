"""STANCE_AGREE, STANCE_DISAGREE, STANCE_NEUTRAL: only when asked for, only where there is a premise."""

import json
from collections.abc import Callable

import httpx
import pytest

Analyze = Callable[..., dict]
STANCES = ("STANCE_AGREE", "STANCE_DISAGREE", "STANCE_NEUTRAL")
PREMISE = "The city should close the square to cars."
TEXT = "I disagree with the author."
URL = "https://news.example/square"


@pytest.fixture(scope="module")
def native(http: httpx.Client) -> dict[str, float]:
    body = {"comment": {"text": TEXT}, "article": {"premise": PREMISE}}
    probabilities = http.post("/v1/score", json=body).json()["stance"]["probabilities"]
    return {f"STANCE_{name.upper()}": value for name, value in probabilities.items()}


@pytest.fixture(scope="module", autouse=True)
def _registered(http: httpx.Client) -> None:
    http.put("/v1/articles/square", json={"premise": PREMISE, "url": URL}).raise_for_status()


def article(text: str) -> dict:
    return {"articleAndParentComment": {"article": {"text": text}}}


@pytest.mark.parametrize(
    "context",
    [
        article(PREMISE),
        article(f"{PREMISE}\n\nThat was decided on Monday."),
        article(URL),
        article(json.dumps({"url": URL})),
        {"articleAndParentComment": {"article": {"text": PREMISE}, "parentComment": {"text": "No!"}}},
        {"entries": [{"text": PREMISE}]},
        {"entries": [{"text": PREMISE, "type": "PLAIN_TEXT"}, {"text": "No!"}]},
        {"entries": [{"text": f" {URL} "}]},
        {"entries": [{"text": json.dumps({"url": URL, "Coral_comment_id": "1"})}]},
        {"entries": [{"text": PREMISE}], "articleAndParentComment": None},
        {"entries": [], "articleAndParentComment": {"article": {"text": PREMISE}}},
    ],
    ids=range(11),
)
def test_the_premise_comes_from_the_context(analyze: Analyze, native: dict, context: dict) -> None:
    scores = analyze(TEXT, *STANCES, context=context)["attributeScores"]
    assert {key: scores[key]["summaryScore"]["value"] for key in scores} == native


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"entries": []},
        {"entries": [{}]},
        {"entries": [{"text": " "}, {"text": PREMISE}]},
        {"articleAndParentComment": {"parentComment": {"text": PREMISE}}},
        article("https://news.example/nobody-has-registered-it"),
        article("https://news.example/" + "x" * 3_000),
        article('{"url": "a\\u0000b"}'),
        article('{"url": "' + "x" * 3_000 + '"}'),
    ],
    ids=range(10),
)
def test_without_a_premise_they_are_left_out(analyze: Analyze, context: dict | None) -> None:
    answer = analyze(TEXT, "TOXICITY", *STANCES, context=context)
    assert answer["attributeScores"].keys() == {"TOXICITY"}
    assert "attributeScores" not in analyze(TEXT, *STANCES, context=context)


def test_they_come_only_when_asked_for(analyze: Analyze) -> None:
    answer = analyze(TEXT, "TOXICITY", context=article(PREMISE))
    assert answer["attributeScores"].keys() == {"TOXICITY"}


def test_threshold_version_and_spans(analyze: Analyze, native: dict) -> None:
    requested = {"STANCE_DISAGREE@1": {"scoreThreshold": 0.5}, "STANCE_AGREE": {"scoreThreshold": 0.5}}
    text = f"{TEXT} When does the council vote?"
    answer = analyze(TEXT, requestedAttributes=requested, context=article(PREMISE))
    assert native["STANCE_DISAGREE"] > 0.5 > native["STANCE_AGREE"]
    assert answer["attributeScores"].keys() == {"STANCE_DISAGREE@1"}
    (span,) = analyze(text, "STANCE_AGREE", context=article(PREMISE), spanAnnotations=True)[
        "attributeScores"
    ]["STANCE_AGREE"]["spanScores"]
    assert (span["begin"], span["end"]) == (0, len(text))  # a stance is the whole comment's


def test_an_article_of_one_megabyte_is_read(analyze: Analyze) -> None:
    long = f"{PREMISE}\n\n".ljust(1_000_000, "x")
    assert analyze(TEXT, "STANCE_AGREE", context=article(long))["attributeScores"]
