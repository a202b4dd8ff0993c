"""Nobody takes the log any more: its pipe is closed, its disk is full, or there was none to begin with."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

GOOD = {"comment": {"text": "Well said."}}


def shut() -> None:
    os.close(2)


@pytest.mark.parametrize("broken", ["a closed pipe", "a full disk", "no standard error"])
def test_the_service_answers_on(environment: dict[str, str], until: Callable[..., Any], broken: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    reader, writer = os.pipe()
    full = os.open("/dev/full", os.O_WRONLY)
    process = subprocess.Popen(
        command,
        env=environment,
        stderr={"a closed pipe": writer, "a full disk": full, "no standard error": None}[broken],
        preexec_fn=shut if broken == "no standard error" else None,
    )
    for end in (reader, writer, full):
        os.close(end)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            until(lambda: answers(http, process))
            for _ in range(20):
                assert http.post("/v1/score", json=GOOD).status_code == 200
                assert http.post("/v1/score", json={}).status_code == 422
    finally:
        process.terminate()
        assert process.wait(60) in {0, -15}


def answers(http: httpx.Client, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "the service ended"
    try:
        return http.get("/readyz").is_success
    except httpx.TransportError:
        return False
