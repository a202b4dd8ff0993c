"""What a connection may cost: its head in bytes and seconds, and how many there may be."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

Serve = Callable[..., AbstractContextManager[Any]]
Connect = Callable[[str], Any]


@pytest.mark.parametrize(
    "headers",
    ["X-Long: " + "a" * 40_000 + "\r\n", "".join(f"X-Header-{n}: {'b' * 30}\r\n" for n in range(1_000))],
    ids=["one giant header", "many headers"],
)
def test_giant_headers_are_refused(
    serve: Serve, line: Connect, score_request: Callable[..., bytes], headers: str
) -> None:
    with serve() as running:
        connection = line(running.url)
        connection.send(score_request(headers=headers))
        status, told, body = connection.answer()
        assert (status, told["content-type"]) == (431, "application/problem+json")
        assert json.loads(body)["type"] == "urn:counterpoint:problem:headers-too-large"
        assert "32768" in json.loads(body)["detail"]
        assert connection.is_closed()


def test_a_header_without_end_is_refused_before_it_ends(serve: Serve, line: Connect) -> None:
    with serve() as running:
        connection = line(running.url)
        connection.send(b"POST /v1/score HTTP/1.1\r\nX-Endless: " + b"a" * 40_000)
        assert connection.answer()[0] == 431


def test_slow_headers_and_silent_connections_are_cut_off(serve: Serve, line: Connect) -> None:
    with serve(header_timeout_s=0.2) as running:
        slow, silent = line(running.url), line(running.url)
        slow.send(b"POST /v1/score HTTP/1.1\r\nHost: x\r\n")
        status, _, body = slow.answer()
        assert (status, json.loads(body)["type"]) == (408, "urn:counterpoint:problem:too-slow")
        assert slow.is_closed()
        assert silent.is_closed()


def test_the_deadline_holds_for_each_request_of_a_connection(
    serve: Serve, line: Connect, score_request: Callable[..., bytes]
) -> None:
    with serve(header_timeout_s=0.5) as running:
        connection = line(running.url)
        connection.send(score_request())
        assert connection.answer()[0] == 200
        connection.send(b"POST /v1/score HTTP/1.1\r\n")
        assert connection.answer()[0] == 408


def test_connections_beyond_the_limit_are_told_so(
    serve: Serve, line: Connect, score_request: Callable[..., bytes], until: Callable[..., Any]
) -> None:
    with serve(max_connections=2) as running:
        kept = [line(running.url) for _ in range(2)]
        for connection in kept:
            connection.send(score_request())
            assert connection.answer()[0] == 200
        extra = line(running.url)
        extra.send(score_request())
        status, headers, body = extra.answer()
        assert (status, json.loads(body)["type"]) == (503, "urn:counterpoint:problem:busy")
        assert int(headers["retry-after"]) >= 1
        assert extra.is_closed()
        kept[0].send(score_request())
        assert kept[0].answer()[0] == 200
        kept[1].close()

        def another() -> bool:
            new = line(running.url)
            new.send(score_request())
            answered: int = new.answer()[0]
            new.close()
            return answered == 200

        until(another)
