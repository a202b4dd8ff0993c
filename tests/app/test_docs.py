"""The OpenAPI document and the pages in docs/ say what the service does."""

import json
import re
from pathlib import Path

import httpx
import pytest

from app import errors
from app.schemas import ArticleRegistration, BatchRequest, ScoreAnswer, ScoreRequest

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def document(http: httpx.Client) -> dict:
    return http.get("/openapi.json").json()


def operations(document: dict) -> list[tuple[str, str, dict]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_reference_leads_somewhere(document: dict) -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert references
    for reference in references:
        place: dict = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place["type"] == "object"


def test_it_is_openapi_3_1_with_descriptions(document: dict) -> None:
    assert document["openapi"].startswith("3.1")
    for method, path, operation in operations(document):
        assert operation["description"], (method, path)
        assert operation["responses"]
        bodiless = path.endswith(("/activate", "/rollback"))
        assert (method in {"post", "put"} and not bodiless) == ("requestBody" in operation)


@pytest.mark.parametrize("schema", [ScoreRequest, BatchRequest, ArticleRegistration, ScoreAnswer])
def test_examples_are_valid(document: dict, schema: type) -> None:
    examples = document["components"]["schemas"][schema.__name__]["examples"]
    assert examples
    for example in examples:
        schema.model_validate(example)


def test_the_examples_of_requests_are_answered(document: dict, http: httpx.Client) -> None:
    for example in document["components"]["schemas"]["ScoreRequest"]["examples"]:
        assert http.post("/v1/score", json=example).status_code == 200


def test_the_page_names_every_route(document: dict) -> None:
    page = PAGE.read_text(encoding="utf-8")
    routes = re.findall(r"^\| `([A-Z]+) (\S+)` \|", page, re.MULTILINE)
    assert sorted(routes) == sorted((method.upper(), path) for method, path, _ in operations(document))


def test_the_page_names_every_problem() -> None:
    page = PAGE.read_text(encoding="utf-8")
    refusals = [
        error
        for name in errors.__all__
        if issubclass(error := getattr(errors, name), errors.RefusedError)
        and error is not errors.RefusedError
    ]
    assert len(refusals) >= 8
    for refusal in refusals:
        assert f"| {refusal.status} | `{refusal.code}` |" in page


def test_no_page_loads_anything_from_elsewhere(http: httpx.Client) -> None:
    for path in ("/docs", "/redoc"):
        assert http.get(path).status_code == 404
