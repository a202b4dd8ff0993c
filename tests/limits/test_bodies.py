"""Bodies that are too slow, or too much together; test_refusals.py has those that are too large or deep."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

Serve = Callable[..., AbstractContextManager[Any]]
Connect = Callable[[str], Any]

HEAD = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "length", [b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
)
def test_a_slow_body_is_cut_off(serve: Serve, line: Connect, length: bytes) -> None:
    with serve(body_grace_s=0.2) as running:
        connection = line(running.url)
        connection.send(HEAD % b"/v1/score" + length)
        status, headers, body = connection.answer()
        assert (status, headers["connection"]) == (408, "close")
        problem = json.loads(body)
        assert problem["type"] == "urn:counterpoint:problem:too-slow"
        assert "10000 bytes a second after 0.2 s" in problem["detail"]


def test_a_slow_body_is_told_in_the_words_of_its_protocol(serve: Serve, line: Connect) -> None:
    with serve(body_grace_s=0.2) as running:
        connection = line(running.url)
        connection.send(HEAD % b"/v1alpha1/comments:analyze" + b"Content-Length: 1000\r\n\r\n{")
        status, _, body = connection.answer()
        assert (status, json.loads(body)["error"]["code"]) == (408, 408)


def test_bodies_share_a_limit_and_give_their_part_back(
    serve: Serve, line: Connect, score_request: Callable[..., bytes], until: Callable[..., Any]
) -> None:
    with serve(max_held_bytes=1_000) as running:
        holding = line(running.url)
        holding.send(HEAD % b"/v1/score" + b"Content-Length: 990\r\n\r\n" + b" " * 900)
        large = score_request(body={"comment": {"text": "x" * 200}})

        def asked() -> tuple[int, dict[str, str], bytes]:
            connection = line(running.url)
            connection.send(large)
            answer: tuple[int, dict[str, str], bytes] = connection.answer()
            return answer

        headers = until(lambda: (answer := asked())[0] == 503 and answer[1])
        assert int(headers["retry-after"]) >= 1
        holding.close()
        until(lambda: asked()[0] == 200)


def test_a_silent_stream_is_ended_with_what_was_answered(serve: Serve, line: Connect) -> None:
    with serve(stream_idle_s=0.3) as running:
        connection = line(running.url)
        said = json.dumps({"comment": {"text": "Well said."}}).encode() + b"\n"
        connection.send(HEAD % b"/v1/score/stream" + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.send(b"%x\r\n%b\r\n" % (len(said), said))
        status, _, body = connection.answer()
        assert status == 200
        assert "civility" in json.loads(body)
