"""Many comments in one request."""

import httpx
import pytest

GOOD = {"comment": {"text": "Well said, thank you.", "id": "good"}}


def test_answers_come_in_order_and_bad_items_spoil_nothing(http: httpx.Client) -> None:
    items = [
        GOOD,
        {"comment": {"text": "", "id": "empty"}},
        {"comment": {"text": "x" * 20_481, "id": 7}},
        "not an object",
        None,
        {"comment": {"text": "Another one."}, "premise": "in the wrong place"},
        {"comment": {"text": "The last one.", "id": "last"}},
    ]
    response = http.post("/v1/score/batch", json={"items": items})
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result.get("status", 200) for result in results] == [200, 422, 422, 422, 422, 422, 200]
    assert [result.get("id") for result in results] == ["good", "empty", None, None, None, None, "last"]
    assert results[1]["errors"] == [{"field": "comment.text", "message": "is empty"}]
    assert results[2]["errors"][0]["field"] == "comment.id"
    assert results[5]["errors"][0]["field"] == "premise"


def test_an_item_is_scored_as_it_is_alone(http: httpx.Client) -> None:
    items = [
        {"comment": {"text": f"Comment {n} about the cars."}, "article": {"premise": "Cars are bad"}}
        for n in range(150)
    ]
    results = http.post("/v1/score/batch", json={"items": items}).json()["results"]
    alone = [http.post("/v1/score", json=item).json() for item in items[::25]]
    assert results[::25] == alone


def test_a_batch_may_be_empty(http: httpx.Client) -> None:
    response = http.post("/v1/score/batch", json={"items": []})
    assert (response.status_code, response.json()) == (200, {"results": []})


def test_a_batch_has_at_most_a_thousand_items(http: httpx.Client) -> None:
    assert len(http.post("/v1/score/batch", json={"items": [GOOD] * 1_000}).json()["results"]) == 1_000
    response = http.post("/v1/score/batch", json={"items": [GOOD] * 1_001})
    assert response.status_code == 422
    assert response.json()["detail"] == "items has 1001 entries, at most 1000 allowed"
    assert response.json()["errors"][0]["limit"] == 1_000


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([GOOD], "body must be an object"),
        ({}, "items is required"),
        ({"items": GOOD}, "items must be a list"),
        ({"items": None}, "items must be a list"),
        ({"items": [GOOD], "explain": True}, "explain is not a known field"),
    ],
)
def test_what_is_no_batch(http: httpx.Client, body: object, detail: str) -> None:
    response = http.post("/v1/score/batch", json=body)
    assert response.status_code == 422
    assert response.json()["detail"] == detail
