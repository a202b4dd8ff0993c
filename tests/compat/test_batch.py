"""POST /batch: many calls in one request, as Google's client libraries send them."""

import json
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message

import httpx
import pytest

from app.store.feedback import FeedbackStore

Refused = Callable[..., dict]
ANALYZE, SUGGEST = "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore"
BOUNDARY = "===============8317=="


def analysis(text: str, **more: object) -> dict:
    return {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}} | more


def part(number: int, body: object, path: str = f"{ANALYZE}?key=k&alt=json", verb: str = "POST") -> str:
    lines = [
        "Content-Type: application/http",
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: <0c1f-42 + {number}>",
        "",
        f"{verb} {path} HTTP/1.1",
        "Content-Type: application/json",
        "MIME-Version: 1.0",
        "Host: localhost",
        "",
        json.dumps(body, ensure_ascii=False),
    ]
    return "\n".join(lines)


def whole(parts: list[str], end: str = "\n") -> bytes:
    text = "".join(f"--{BOUNDARY}\n{one}\n" for one in parts) + f"--{BOUNDARY}--\n"
    return text.replace("\n", end).encode()


def post(http: httpx.Client, body: bytes, path: str = "/batch") -> httpx.Response:
    return http.post(path, content=body, headers={"Content-Type": f'multipart/mixed; boundary="{BOUNDARY}"'})


def answers(response: httpx.Response) -> list[tuple[str, int, dict]]:
    """Take the answer apart as the Python client does: id, status and JSON of each part."""
    assert response.status_code == 200, response.text
    head = f"content-type: {response.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + response.content)
    assert message.get_content_type() == "multipart/mixed"
    found = []
    for one in message.get_payload():
        assert isinstance(one, Message)
        assert one.get_content_type() == "application/http"
        payload = one.get_payload(decode=True)
        assert isinstance(payload, bytes)
        status_line, _, rest = payload.partition(b"\n")
        version, status, reason = status_line.decode().split(" ", 2)
        assert version == "HTTP/1.1"
        assert reason.strip()
        headers, _, content = rest.partition(b"\r\n\r\n")
        inner = message_from_bytes(headers)
        assert inner["Content-Type"] == "application/json; charset=UTF-8"
        assert int(inner["Content-Length"]) == len(content)
        found.append((str(one["Content-ID"]), int(status), json.loads(content)))
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("path", ["/batch", "/batch/commentanalyzer/v1alpha1"])
def test_each_part_is_answered_as_if_it_came_alone(http: httpx.Client, end: str, path: str) -> None:
    bodies = [
        analysis("You are a stupid idiot.", clientToken="é👍"),
        analysis(""),
        analysis("Thank you.", spanAnnotations=True),
    ]
    parts = [part(number, body) for number, body in enumerate(bodies, 1)]
    parts.append(part(4, bodies[0], "/v1alpha1/comments%3Aanalyze"))
    parts.append(part(5, bodies[0], f"http://localhost{ANALYZE}?fields=clientToken"))
    parts.append(part(6, {}, "/v1alpha1/comments:praise"))
    parts.append(part(7, bodies[0], verb="GET"))
    found = answers(post(http, whole(parts, end), path))
    assert [content_id for content_id, _, _ in found] == [f"<response-0c1f-42 + {n}>" for n in range(1, 8)]
    assert [status for _, status, _ in found] == [200, 400, 200, 200, 200, 404, 404]
    alone = [http.post(ANALYZE, json=body).json() for body in bodies]
    assert [answer for _, _, answer in found[:3]] == alone
    assert found[3][2] == alone[0]
    assert found[4][2] == {"clientToken": "é👍"}
    assert found[5][2]["error"]["status"] == "NOT_FOUND"


def test_a_hundred_parts_and_no_more(http: httpx.Client, refused: Refused) -> None:
    parts = [part(number, analysis(f"Comment number {number}.")) for number in range(101)]
    found = answers(post(http, whole(parts[:100])))
    assert [content_id for content_id, _, _ in found] == [f"<response-0c1f-42 + {n}>" for n in range(100)]
    assert {status for _, status, _ in found} == {200}
    assert "100" in refused(post(http, whole(parts)))["message"]


def test_suggestions_keep_their_order(http: httpx.Client, feedback: FeedbackStore) -> None:
    bodies = [
        {
            "comment": {"text": "x"},
            "attributeScores": {"TOXICITY": {"summaryScore": {"value": n / 20}}},
            "clientToken": "batched",
        }
        for n in range(21)
    ]
    found = answers(post(http, whole([part(n, body, SUGGEST) for n, body in enumerate(bodies)])))
    assert {status for _, status, _ in found} == {200}
    (kept,) = (one for one in feedback.latest() if one.client_token == "batched")
    assert kept.scores == {"TOXICITY": 1.0}


def test_odd_but_readable_parts(http: httpx.Client) -> None:
    line = json.dumps(analysis("x"))
    request = f"POST {ANALYZE} HTTP/1.1\n\n{line}"
    parts = [
        f"\n{request}",  # no headers, no id
        f"Content-ID: plain\n\n\n{request}",
        f"content-id:\n  <folded>\n\n{request}\n\n",
        "Content-ID: <none>\n",
        "Content-ID: <words>\n\nhello\n\n{}",
        f"Content-ID: <host>\n\nPOST http://[bad{ANALYZE} HTTP/1.1\n\n{line}",
    ]
    text = "a preamble\n" + "".join(f"--{BOUNDARY}  \n{one}\n" for one in parts)
    found = answers(post(http, text.encode()))  # and the closing delimiter is missing
    assert [content_id for content_id, _, _ in found] == [
        *("None", "response-plain", "<response-folded>"),
        *("<response-none>", "<response-words>", "<response-host>"),
    ]
    assert [status for _, status, _ in found] == [200, 200, 200, 404, 404, 404]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "multipart/mixed",
        "multipart/form-data; boundary=x",
        "multipart/mixed; boundary=other",
        "multipart/mixed; boundary*" + "9" * 5_000 + "=x",
    ],
)
def test_what_is_no_batch(http: httpx.Client, refused: Refused, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    error = refused(http.post("/batch", content=whole([part(1, analysis("x"))]), headers=headers))
    assert error["message"].startswith("Failed to parse batch request, error: ")


def test_hostile_bodies_take_no_long_time(http: httpx.Client, refused: Refused) -> None:
    for body in (b"\n" * 1_000_000, f"--{BOUNDARY}\n".encode() * 50_000, b"\r\n \t" * 300_000):
        refused(post(http, body))
