"""Several worker processes under overload: no answer is lost, nor at their end."""

import json
from collections.abc import Callable
from typing import Any

import httpx

COMMENT = json.dumps({"comment": {"text": "Well said."}}).encode() + b"\n"
HEAD = b"POST /v1/score/stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(COMMENT), COMMENT)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=60, trust_env=False).is_success
    except httpx.ConnectError:
        return False


def test_workers_answer_or_refuse_and_finish_what_they_have_begun(
    started: Callable[..., Any],
    line: Callable[[str], Any],
    score_request: Callable[..., bytes],
    until: Callable[..., Any],
) -> None:
    with started("--workers", "2", COUNTERPOINT_OVERLOAD_LATENCY_MS="0.001") as served:
        served.wait(lambda _: len(served.workers_with("2026.2.0")) == 2)
        until(lambda: is_ready(served.url))
        streams = [line(served.url) for _ in range(4)]
        for stream in streams:
            stream.send(HEAD + CHUNK)
            stream.receive_until(b"civility")
        connections = [line(served.url) for _ in range(60)]
        for _ in range(5):
            for connection in connections:
                connection.send(score_request())
            for status, headers, _ in [connection.answer() for connection in connections]:
                assert status == 200 or (status == 503 and int(headers["retry-after"]) >= 1)
        served.process.terminate()
        for stream in streams:
            stream.send(CHUNK + b"0\r\n\r\n")
            assert stream.receive_until(b"0\r\n\r\n").count(b'"civility"') == 1
        assert served.process.wait(60) == 0
