"""The discovery document, from which client libraries learn where to send what."""

import json
import re

import httpx
import pytest

PATH = "/$discovery/rest?version=v1alpha1"


def test_the_root_is_where_the_client_sees_it(http: httpx.Client) -> None:
    own = str(http.base_url)
    for path in (PATH, "/$discovery/rest", "/%24discovery/rest?version=v1alpha1&key=k"):
        document = http.get(path).json()
        assert document["rootUrl"] == document["baseUrl"] == own.rstrip("/") + "/"
    headers = {"Host": "scores.news.example", "X-Forwarded-Proto": "https"}
    assert http.get(PATH, headers=headers).json()["rootUrl"] == "https://scores.news.example/"
    headers = {"Host": "[::1]:8000", "X-Forwarded-Proto": "https, http"}
    assert http.get(PATH, headers=headers).json()["rootUrl"] == "https://[::1]:8000/"
    headers = {"Host": "localhost", "X-Forwarded-Proto": "javascript"}
    assert http.get(PATH, headers=headers).json()["rootUrl"] == "http://localhost/"


@pytest.mark.parametrize("host", ["news.example/x", "a b", "<script>", "a@b"])
def test_a_host_that_is_none(http: httpx.Client, host: str) -> None:
    response = http.get(PATH, headers={"Host": host})
    assert response.status_code == 400
    assert response.json()["error"]["details"]


def test_the_document_is_whole(http: httpx.Client) -> None:
    document = http.get(PATH).json()
    assert document["kind"] == "discovery#restDescription"
    assert document["id"] == "commentanalyzer:v1alpha1"
    assert document["batchPath"] == "batch"
    references = set(re.findall(r'"\$ref": "(\w+)"', json.dumps(document)))
    assert references
    assert references <= document["schemas"].keys()
    assert {name for name, schema in document["schemas"].items() if schema["id"] != name} == set()
    assert {"key", "alt", "fields", "prettyPrint", "quotaUser"} <= document["parameters"].keys()


def test_its_methods_are_answered(http: httpx.Client) -> None:
    document = http.get(PATH).json()
    methods = document["resources"]["comments"]["methods"]
    assert methods.keys() == {"analyze", "suggestscore"}
    for method in methods.values():
        url = document["rootUrl"] + document["servicePath"] + method["path"]
        answer = http.request(method["httpMethod"], url)
        assert answer.json()["error"]["details"][0]["errorType"] == "COMMENT_EMPTY"
        for side in ("request", "response"):
            assert method[side]["$ref"] in document["schemas"]


def test_fields_of_the_schemas(http: httpx.Client) -> None:
    schemas = http.get(PATH).json()["schemas"]
    assert schemas["AnalyzeCommentRequest"]["properties"].keys() == {
        *("comment", "context", "requestedAttributes", "languages", "doNotStore", "clientToken"),
        *("sessionId", "communityId", "spanAnnotations", "dropUnsupportedAttributes"),
    }
    assert schemas["AnalyzeCommentResponse"]["properties"].keys() == {
        *("attributeScores", "languages", "detectedLanguages", "clientToken"),
    }
