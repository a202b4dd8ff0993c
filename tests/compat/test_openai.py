"""POST /v1/moderations, in OpenAI's shape."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RUDE = "You are a stupid idiot."
THREAT = "I will hurt you. You will be killed, we will find you."
GERMAN = "Das ist doch völliger Unsinn, was Sie da über die Stadt schreiben."
PORTUGUESE = "Você é um idiota completo, cala a boca, seu burro."
CATEGORIES = {
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"),
    *("self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors"),
    *("violence", "violence/graphic"),
}
SCORED = {"harassment", "harassment/threatening", "hate", "hate/threatening"}


def moderate(http: httpx.Client, given: object, **more: object) -> dict:
    response = http.post(
        "/v1/moderations", json={"input": given} | more, headers={"Authorization": "Bearer k"}
    )
    assert response.status_code == 200, response.text
    answer: dict = response.json()
    return answer


def test_an_answer_has_openais_shape(http: httpx.Client, bundle_path: Path) -> None:
    answer = moderate(http, RUDE, model="omni-moderation-latest", user="u")
    assert answer["id"].startswith("modr-")
    assert answer["model"] == f"counterpoint-{bundle_path.name}"
    (result,) = answer["results"]
    for field in ("categories", "category_scores", "category_applied_input_types"):
        assert result[field].keys() == CATEGORIES
    assert result["flagged"] is any(result["categories"].values()) is True
    for name in CATEGORIES - SCORED:
        assert result["categories"][name] is False
        assert result["category_scores"][name] == 0
        assert result["category_applied_input_types"][name] == []
    for name in SCORED:
        assert result["category_applied_input_types"][name] == ["text"]


@pytest.mark.parametrize("text", [RUDE, THREAT, "Those foreigners are vermin.", "Thank you for this report."])
def test_the_categories_are_our_attributes(http: httpx.Client, text: str) -> None:
    native = http.post("/v1/score", json={"comment": {"text": text}}).json()["civility"]["attributes"]
    (result,) = moderate(http, text)["results"]
    scores, verdicts = result["category_scores"], result["categories"]
    assert scores["harassment"] == native["INSULT"]
    assert scores["harassment/threatening"] == native["THREAT"]
    assert scores["hate"] == native["IDENTITY_ATTACK"]
    assert scores["hate/threatening"] == min(native["IDENTITY_ATTACK"], native["THREAT"])
    assert verdicts["harassment"] == (native["INSULT"] >= 0.8)
    assert verdicts["harassment/threatening"] == (native["THREAT"] >= 0.5)
    assert verdicts["hate"] == (native["IDENTITY_ATTACK"] >= 0.8)
    assert verdicts["hate/threatening"] == (verdicts["hate"] and verdicts["harassment/threatening"])


def test_the_thresholds_are_the_operators(serve: Any) -> None:
    never = {"review": None, "reject": None}
    thresholds = {"insult": never, "threat": {"review": 0.0, "reject": None}, "identity_attack": never}
    with serve(thresholds=thresholds) as running, httpx.Client(base_url=running.url, trust_env=False) as http:
        (result,) = moderate(http, RUDE)["results"]
        assert [name for name, is_so in result["categories"].items() if is_so] == ["harassment/threatening"]


def test_a_list_is_answered_in_order(http: httpx.Client) -> None:
    texts = [RUDE, "", "Thank you for this careful report.", " \n", THREAT]
    results = moderate(http, texts)["results"]
    assert len(results) == 5
    for place in (0, 2, 4):
        assert results[place] == moderate(http, texts[place])["results"][0]
    for place in (1, 3):  # of what shows nothing, there is nothing to say
        assert results[place]["flagged"] is False
        assert set(results[place]["category_scores"].values()) == {0.0}
        assert results[place]["category_applied_input_types"]["harassment"] == []


def test_text_parts_are_one_input(http: httpx.Client) -> None:
    parts = [{"type": "text", "text": "You are a stupid"}, {"type": "text", "text": "idiot."}]
    assert moderate(http, parts)["results"] == moderate(http, "You are a stupid\nidiot.")["results"]


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        (None, "input", None),
        (5, "input", None),
        ([], "input", None),
        ({}, "input", None),
        ([5], "input[0]", None),
        (["x", None], "input[1]", None),
        (["x"] * 1_001, "input", "array_above_max_length"),
        ("x" * 20_481, "input[0]", "string_above_max_length"),
        ([{"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}], "input", None),
        ([{"type": "text"}], "input", None),
        (["Thank you.", GERMAN], "input[1]", "unsupported_language"),
        (PORTUGUESE, "input[0]", "unsupported_language"),  # its model has no category's attribute
    ],
)
def test_refusals_have_openais_shape(http: httpx.Client, given: object, param: str, code: str | None) -> None:
    response = http.post("/v1/moderations", json={"input": given})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"'])
def test_other_bodies(http: httpx.Client, body: bytes) -> None:
    response = http.post("/v1/moderations", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_what_others_refuse_has_that_shape_too(http: httpx.Client, serve: Any) -> None:
    response = http.get("/v1/moderations")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"]["type"] == "invalid_request_error"
    with (
        serve(max_body_bytes=1_000) as running,
        httpx.Client(base_url=running.url, trust_env=False) as small,
    ):
        response = small.post("/v1/moderations", json={"input": "x" * 1_000})
        assert response.status_code == 413
        assert "1000" in response.json()["error"]["message"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["input", "model", "type", "text"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_any_json_gets_an_answer_or_an_error_of_openais_shape(http: httpx.Client) -> None:
    @settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(body=_json | st.fixed_dictionaries({"input": _json}))
    def check(body: object) -> None:
        response = http.post("/v1/moderations", json=body)
        assert response.status_code in {200, 400}
        assert response.json().keys() == (
            {"error"} if response.status_code == 400 else {"id", "model", "results"}
        )

    check()
