"""comments:analyze: what comes back, for whom."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from models import ATTRIBUTES

Analyze = Callable[..., dict]
ANALYZE = "/v1alpha1/comments:analyze"
RUDE = "You are a stupid idiot."
GERMAN = "Das ist doch völliger Unsinn, was Sie da über die Stadt schreiben."
PORTUGUESE = "Você é um idiota completo, cala a boca, seu burro."
BODY = {"comment": {"text": RUDE}, "requestedAttributes": {"TOXICITY": {}}}


def values(answer: dict) -> dict[str, float]:
    return {key: scores["summaryScore"]["value"] for key, scores in answer["attributeScores"].items()}


def test_the_six_attributes_are_those_of_the_native_api(analyze: Analyze, http: httpx.Client) -> None:
    native = http.post("/v1/score", json={"comment": {"text": RUDE}}).json()["civility"]["attributes"]
    assert values(analyze(RUDE, *ATTRIBUTES)) == native


def test_the_whole_answer_of_an_ordinary_request(analyze: Analyze) -> None:
    answer = analyze("👍 thank you", doNotStore=True, languages=["en"])
    (score,) = values(answer).values()
    probability = {"value": score, "type": "PROBABILITY"}
    assert answer == {
        "attributeScores": {
            "TOXICITY": {
                "spanScores": [{"begin": 0, "end": 12, "score": probability}],
                "summaryScore": probability,
            }
        },
        "languages": ["en"],
        "detectedLanguages": ["en"],
    }


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_aliases_and_versions_are_mirrored(analyze: Analyze, name: str) -> None:
    keys = [name, f"{name}@6", f"{name}@2026.11.0-rc1", f"{name}_EXPERIMENTAL", f"{name}_EXPERIMENTAL@2"]
    found = values(analyze(RUDE, *keys))
    assert list(found) == keys
    assert len(set(found.values())) == 1


@pytest.mark.parametrize("path", [ANALYZE, "/v1alpha1/comments%3Aanalyze", "/v1alpha1/comments%3aanalyze"])
@pytest.mark.parametrize("headers", [{}, {"X-Goog-Api-Key": "k"}, {"User-Agent": "Coral Perspective/9"}])
def test_path_and_key_as_clients_send_them(http: httpx.Client, path: str, headers: dict) -> None:
    for query in ("", "?key=k", "?key=k&alt=json&quotaUser=q&$.xgafv=2"):
        response = http.post(path + query, json=BODY, headers=headers)
        assert response.status_code == 200


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "x"])
def test_the_content_type_does_not_matter(http: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert http.post(ANALYZE, content=json.dumps(BODY), headers=headers).status_code == 200


def test_the_bundles_version_is_in_a_header(http: httpx.Client, bundle_path: Path) -> None:
    assert http.post(ANALYZE, json=BODY).headers["x-counterpoint-model"] == bundle_path.name


def test_json_is_read_as_protocol_buffers_are(analyze: Analyze, http: httpx.Client) -> None:
    expected = analyze(RUDE, clientToken="t", spanAnnotations=True)
    snake = {
        "comment": {"text": RUDE, "type": "PLAIN_TEXT", "colour": "red"},
        "requested_attributes": {"TOXICITY": {"scoreType": "PROBABILITY", "score_threshold": "0.0"}},
        "client_token": "t",
        "span_annotations": "true",
        "doNotStore": None,
        "context": None,
        "languages": None,
        "nonsense": {"deep": [1, 2, {}]},
    }
    assert http.post(ANALYZE, json=snake).json() == expected
    numbered = {"comment": {"text": RUDE, "type": 1}, "requestedAttributes": {"TOXICITY": {"scoreType": 1}}}
    assert values(http.post(ANALYZE, json=numbered).json()) == values(expected)
    assert values(analyze(RUDE, requestedAttributes={"TOXICITY": None})) == values(expected)


def test_the_client_token_comes_back_only_if_sent(analyze: Analyze) -> None:
    assert analyze(RUDE, clientToken="comment:1")["clientToken"] == "comment:1"
    assert analyze(RUDE, clientToken="")["clientToken"] == ""
    assert "clientToken" not in analyze(RUDE)


def test_scores_below_the_threshold_are_left_out(analyze: Analyze) -> None:
    scores = values(analyze(RUDE, "INSULT", "THREAT"))
    assert 0 < scores["THREAT"] < scores["INSULT"]
    high = {name: {"scoreThreshold": scores["INSULT"]} for name in scores}
    answer = analyze(RUDE, requestedAttributes=high)
    assert values(answer) == {"INSULT": scores["INSULT"]}
    none = {name: {"scoreThreshold": 1.5} for name in scores}
    assert analyze(RUDE, requestedAttributes=none, clientToken="t") == {
        "languages": ["en"],
        "detectedLanguages": ["en"],
        "clientToken": "t",
    }


def test_spans_are_sentences_in_utf16(analyze: Analyze) -> None:
    text = "👍👍 Thank you for this careful report!  You are a stupid idiot.\nBye"
    answer = analyze(text, "TOXICITY", "INSULT", spanAnnotations=True)
    utf16 = text.encode("utf-16-le")
    for scores in answer["attributeScores"].values():
        spans = scores["spanScores"]
        said = [utf16[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le") for span in spans]
        assert said == ["👍👍 Thank you for this careful report!", "You are a stupid idiot.", "Bye"]
        for span, sentence in zip(spans, said, strict=True):
            key = next(key for key, value in answer["attributeScores"].items() if value is scores)
            assert span["score"]["value"] == values(analyze(sentence, key))[key]
    assert values(answer) == values(analyze(text, "TOXICITY", "INSULT"))


def test_one_sentence_has_one_full_span(analyze: Analyze) -> None:
    for flag in (True, False):
        (span,) = analyze(f" {RUDE} ", spanAnnotations=flag)["attributeScores"]["TOXICITY"]["spanScores"]
        assert (span["begin"], span["end"]) == (0, len(RUDE) + 2)


def test_a_comment_of_thousands_of_sentences_has_a_hundred_spans_at_most(analyze: Analyze) -> None:
    text = "No. " * 5_000
    spans = analyze(text, spanAnnotations=True)["attributeScores"]["TOXICITY"]["spanScores"]
    assert len(spans) == 100
    assert spans[0]["begin"] == 0
    assert spans[-1]["end"] == len(text.rstrip())


def test_the_callers_language_counts_more_than_the_detected_one(analyze: Analyze) -> None:
    told = analyze(PORTUGUESE, languages=["en"])
    assert (told["languages"], told["detectedLanguages"]) == (["en"], ["en"])
    assert values(told) != values(analyze(PORTUGUESE))


def test_languages_are_those_requested_or_detected(analyze: Analyze) -> None:
    assert analyze(RUDE, languages=["en-GB", "fr"])["languages"] == ["en-GB", "fr"]
    assert analyze(RUDE, languages=["fr", "EN"])["detectedLanguages"] == ["en"]
    assert analyze(PORTUGUESE)["languages"] == ["pt"]
    short = analyze("idiota", languages=["pt"])
    assert (short["languages"], short["detectedLanguages"]) == (["pt"], ["pt"])
    assert values(short) != values(analyze("idiota", languages=["en"]))


def test_what_a_language_cannot_be_scored_for_is_dropped_on_request(analyze: Analyze) -> None:
    answer = analyze(PORTUGUESE, "TOXICITY", "INSULT", "STANCE_AGREE", dropUnsupportedAttributes=True)
    assert answer["attributeScores"].keys() == {"TOXICITY"}
    assert analyze(GERMAN, dropUnsupportedAttributes=True) == {
        "languages": ["de"],
        "detectedLanguages": ["de"],
    }
    assert analyze(RUDE, languages=["om"], dropUnsupportedAttributes=True) == {
        "languages": ["om"],
        "detectedLanguages": ["en"],
    }


def test_json_is_indented_unless_unwanted(http: httpx.Client) -> None:
    pretty = http.post(ANALYZE, json=BODY)
    assert pretty.text == json.dumps(pretty.json(), indent=2) + "\n"
    compact = http.post(f"{ANALYZE}?prettyPrint=false", json=BODY)
    assert compact.text == json.dumps(pretty.json(), separators=(",", ":"))
    error = http.post(f"{ANALYZE}?prettyPrint=false", json={})
    assert error.text == json.dumps(error.json(), separators=(",", ":"))


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ("languages", ["languages"]),
        ("languages,detectedLanguages", ["detectedLanguages", "languages"]),
        (
            "attributeScores/TOXICITY@1.2/summaryScore/value",
            ["attributeScores TOXICITY@1.2 summaryScore value"],
        ),
        ("attributeScores.INSULT.summaryScore.type", ["attributeScores INSULT summaryScore type"]),
        (
            "attributeScores/*/summaryScore/value",
            ["attributeScores INSULT summaryScore value", "attributeScores TOXICITY@1.2 summaryScore value"],
        ),
        (
            "attributeScores(INSULT(summaryScore/type,spanScores/begin)),languages",
            [
                "attributeScores INSULT spanScores begin",
                "attributeScores INSULT summaryScore type",
                "languages",
            ],
        ),
        ("nothing/there", []),
    ],
)
def test_fields_select_parts_of_the_answer(analyze: Analyze, fields: str, paths: list[str]) -> None:
    answer = analyze(RUDE, "TOXICITY@1.2", "INSULT", query=f"?fields={fields}")
    assert sorted(leaves(answer)) == paths


def leaves(value: object, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in leaves(inner, f"{path} {key}".strip())}
    if isinstance(value, list):
        return {leaf for inner in value for leaf in leaves(inner, path)}
    return {path}
