"""What goes wrong is told in Google's envelope and the API's own words, whatever it is."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Refused = Callable[..., dict]
ANALYZE, SUGGEST = "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore"
ERROR = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
RUDE = "You are a stupid idiot."
GERMAN = "Das ist doch völliger Unsinn, was Sie da über die Stadt schreiben."
PORTUGUESE = "Você é um idiota completo, cala a boca, seu burro."
TOXICITY = {"TOXICITY": {}}
BOTH = "Context can have either entries or article_and_parent_comment, but both fields were populated."
ENTRY, PAIR = [{"text": "x"}], {"article": {"text": "x"}}


def request(text: object = RUDE, attributes: object = TOXICITY, **more: object) -> dict:
    return {"comment": {"text": text}, "requestedAttributes": attributes} | more


@pytest.mark.parametrize(
    ("body", "error_type", "message"),
    [
        ({}, "COMMENT_EMPTY", "Comment must be non-empty."),
        ({"requestedAttributes": TOXICITY}, "COMMENT_EMPTY", "Comment must be non-empty."),
        (request(""), "COMMENT_EMPTY", "Comment must be non-empty."),
        (request(None), "COMMENT_EMPTY", "Comment must be non-empty."),
        (request(" \n\u200b"), "COMMENT_EMPTY", "Comment must be non-empty."),
        (request("x" * 20_481), "COMMENT_TOO_LONG", "Comment text too long."),
        (request("é" * 10_241), "COMMENT_TOO_LONG", "Comment text too long."),
        (request(attributes={}), "NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes"),
        (request(attributes=None), "NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes"),
        (request(attributes={"SPAM": {}}), "INVALID_REQUEST", "Unknown requested attribute: SPAM"),
        (request(attributes={"toxicity": {}}), "INVALID_REQUEST", "Unknown requested attribute: toxicity"),
        (request(attributes={"TOXICITY@": {}}), "INVALID_REQUEST", "Unknown requested attribute: TOXICITY@"),
        (request(attributes={"": {}}), "INVALID_REQUEST", "Unknown requested attribute: "),
        (
            request(attributes={"TOXICITY_FAST": {}}),
            "INVALID_REQUEST",
            "Unknown requested attribute: TOXICITY_FAST",
        ),
        (
            request(attributes={"INSULT": {"scoreType": "RAW"}}),
            "INVALID_REQUEST",
            "Requested score type RAW is not supported by attribute INSULT",
        ),
        (
            {"comment": {"text": "<b>x</b>", "type": "HTML"}, "requestedAttributes": TOXICITY},
            "INVALID_REQUEST",
            "Currently, only 'PLAIN_TEXT' comments are supported",
        ),
        (
            {"comment": {"text": "x", "type": "MARKDOWN"}, "requestedAttributes": TOXICITY},
            "INVALID_REQUEST",
            "Unknown text type",
        ),
        (
            request(context={"entries": ENTRY, "articleAndParentComment": PAIR}),
            "INVALID_REQUEST",
            BOTH,
        ),
        (
            request(context={"entries": [{"text": "x" * 1_000_001}]}),
            "INVALID_REQUEST",
            "Context entry text too long.",
        ),
        (
            request(attributes={f"TOXICITY@{n}": {} for n in range(101)}),
            "INVALID_REQUEST",
            "Too many requested attributes: at most 100 are allowed",
        ),
        ([], "INVALID_REQUEST", "Invalid JSON payload received. Root element must be a message."),
        ("x", "INVALID_REQUEST", "Invalid JSON payload received. Root element must be a message."),
        (request(5), "INVALID_REQUEST", "Invalid value at 'comment.text' (TYPE_STRING)"),
        ({"comment": RUDE}, "INVALID_REQUEST", "Invalid value at 'comment' (TYPE_MESSAGE)"),
        (request(languages="en"), "INVALID_REQUEST", "Invalid value at 'languages' (TYPE_LIST)"),
        (request(languages=["en", 5]), "INVALID_REQUEST", "Invalid value at 'languages[1]' (TYPE_STRING)"),
        (request(doNotStore="maybe"), "INVALID_REQUEST", "Invalid value at 'do_not_store' (TYPE_BOOL)"),
        (request(clientToken=5), "INVALID_REQUEST", "Invalid value at 'client_token' (TYPE_STRING)"),
        (
            request(attributes=["TOXICITY"]),
            "INVALID_REQUEST",
            "Invalid value at 'requested_attributes' (TYPE_MESSAGE)",
        ),
        (
            request(attributes={"TOXICITY": {"scoreThreshold": "high"}}),
            "INVALID_REQUEST",
            "Invalid value at 'requested_attributes[0].value.score_threshold' (TYPE_FLOAT)",
        ),
        (
            request(attributes={"TOXICITY": {"scoreType": "COSY"}}),
            "INVALID_REQUEST",
            "Invalid value at 'requested_attributes[0].value.score_type' (TYPE_ENUM)",
        ),
    ],
)
def test_the_exact_words(
    http: httpx.Client, refused: Refused, body: object, error_type: str, message: str
) -> None:
    error = refused(http.post(ANALYZE, json=body))
    assert (error["message"], error["status"]) == (message, "INVALID_ARGUMENT")
    assert error["details"] == [{"@type": ERROR, "errorType": error_type}]


@pytest.mark.parametrize(
    ("body", "attribute", "source", "languages"),
    [
        (request(languages=["om"]), "TOXICITY", "requestedLanguages", ["om"]),
        (request(languages=["om", "hi-Latn"]), "TOXICITY", "requestedLanguages", ["om", "hi-Latn"]),
        (request(languages=["nonsense!"]), "TOXICITY", "requestedLanguages", ["nonsense!"]),
        (request(GERMAN), "TOXICITY", "detectedLanguages", ["de"]),
        (request(PORTUGUESE, {"TOXICITY": {}, "INSULT@2": {}}), "INSULT@2", "detectedLanguages", ["pt"]),
        (request("idiota", {"THREAT": {}}, languages=["pt"]), "THREAT", "requestedLanguages", ["pt"]),
        (request(PORTUGUESE, {"STANCE_AGREE": {}}), "STANCE_AGREE", "detectedLanguages", ["pt"]),
    ],
)
def test_languages_that_cannot_be_scored(
    http: httpx.Client, refused: Refused, body: dict, attribute: str, source: str, languages: list[str]
) -> None:
    error = refused(http.post(ANALYZE, json=body))
    assert error["message"] == (
        f"Attribute {attribute} does not support request languages: {', '.join(languages)}"
    )
    assert error["details"] == [
        {
            "@type": ERROR,
            "errorType": "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            "languageNotSupportedByAttributeError": {source: languages, "attribute": attribute},
        }
    ]


@pytest.mark.parametrize("path", [ANALYZE, SUGGEST])
def test_an_empty_body_without_a_content_type(http: httpx.Client, refused: Refused, path: str) -> None:
    error = refused(http.post(path, params={"key": "k"}))
    assert error["details"][0]["errorType"] == "COMMENT_EMPTY"


@pytest.mark.parametrize("path", [ANALYZE, SUGGEST])
@pytest.mark.parametrize(
    "body", [b"{", b"not json", b'{"comment": {"text": "\\ud800"}}', b"\xff", b"[" * 100_000, b"[" * 200_001]
)
def test_broken_json(http: httpx.Client, refused: Refused, path: str, body: bytes) -> None:
    error = refused(http.post(path, content=body))
    assert error["message"].startswith("Invalid JSON payload received. ")
    assert error["details"][0]["errorType"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "query", ["alt=proto", "alt=media", "fields=", "fields=a(", "fields=a)", "fields=a,,b"]
)
def test_parameters_that_mean_nothing_here(http: httpx.Client, refused: Refused, query: str) -> None:
    response = http.post(f"{ANALYZE}?{query}", json=request())
    if query == "fields=":
        assert response.status_code == 200
    else:
        assert refused(response)["details"][0]["fieldViolations"][0]["field"] == query.split("=")[0]


def test_hostile_field_masks(http: httpx.Client, refused: Refused) -> None:
    for mask in ("a(" * 900, "a/" * 900 + "a", "x" * 2_001, "*" * 3_000):
        refused(http.post(ANALYZE, params={"fields": mask}, json=request()))


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("POST", "/v1alpha1/comments:praise", 404, "NOT_FOUND"),
        ("POST", "/v1alpha1/comments", 404, "NOT_FOUND"),
        ("GET", ANALYZE, 405, "UNIMPLEMENTED"),
        ("PUT", SUGGEST, 405, "UNIMPLEMENTED"),
        ("GET", "/batch", 405, "UNIMPLEMENTED"),
        ("POST", "/$discovery/rest", 405, "UNIMPLEMENTED"),
        ("GET", "/$discovery/rest?version=v2", 404, "NOT_FOUND"),
    ],
)
def test_other_routes_and_methods(
    http: httpx.Client, refused: Refused, method: str, path: str, code: int, status: str
) -> None:
    response = http.request(method, path)
    assert refused(response, code)["status"] == status
    assert ("allow" in response.headers) == (code == 405)


def test_a_body_over_the_limit(serve: Any, refused: Refused) -> None:
    with (
        serve(max_body_bytes=100_000) as running,
        httpx.Client(base_url=running.url, trust_env=False) as http,
    ):
        error = refused(http.post(ANALYZE, json=request("x" * 100_000)))
        assert "100000" in error["message"]
        assert http.post(ANALYZE, json=request()).status_code == 200


def test_the_comment_is_never_given_back(http: httpx.Client, refused: Refused) -> None:
    secret = "Rosebud was his sledge"
    for body in (
        request([secret]),
        request(secret, {"TOXICITY": {"scoreThreshold": secret}}),
        request(secret * 2_000),
        {"comment": secret},
    ):
        assert "Rosebud" not in json.dumps(refused(http.post(ANALYZE, json=body)))
    broken = refused(http.post(ANALYZE, content=f'{{"comment": {{"text": "{secret}"'.encode()))
    assert "Rosebud" not in json.dumps(broken)


_names = st.sampled_from(
    [
        *("comment", "text", "type", "context", "entries", "articleAndParentComment", "article"),
        *("requestedAttributes", "TOXICITY", "INSULT@6", "STANCE_AGREE", "scoreType", "scoreThreshold"),
        *("languages", "doNotStore", "clientToken", "spanAnnotations", "attributeScores", "summaryScore"),
        *("value", "spanScores", "begin", "end", "score"),
    ]
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["en", "HTML", "PLAIN_TEXT", "PROBABILITY", "RAW", "No. Yes! 👍"])
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=5),
    max_leaves=15,
)
_sound = st.fixed_dictionaries(
    {
        "comment": st.fixed_dictionaries({"text": st.text(min_size=1, max_size=30)}),
        "requestedAttributes": st.dictionaries(
            st.sampled_from(["TOXICITY", "THREAT@2", "STANCE_NEUTRAL"]),
            st.just({}) | st.dictionaries(_names, _json, max_size=2),
            min_size=1,
            max_size=3,
        ),
    },
    optional={
        "languages": st.lists(st.sampled_from(["en", "pt", "om", ""]), max_size=2) | _json,
        "context": _json,
        "spanAnnotations": st.booleans() | _json,
        "dropUnsupportedAttributes": st.booleans(),
        "attributeScores": _json,
        "doNotStore": st.just(True),
    },
)


@pytest.mark.parametrize("path", [ANALYZE, SUGGEST])
def test_any_json_gets_an_answer_or_an_error_of_googles_shape(
    http: httpx.Client, refused: Refused, path: str
) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(body=_sound | _json | st.binary(max_size=100))
    def check(body: object) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = http.post(path, content=raw)
        if response.status_code != 200:
            refused(response)
        elif path == ANALYZE:
            assert response.json().keys() >= {"languages", "detectedLanguages"}

    check()
