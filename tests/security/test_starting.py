"""Real processes: who may start open, what several workers agree on, and what their logs hold."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.access import is_loopback
from app.access.gate import came_on_loopback

Until = Callable[[Callable[[], Any]], Any]
SURE = 30  # answers in a row, each on a connection of its own, by either worker


def other_address() -> str:
    """An address of this machine that is not loopback; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.5", False),
        ("::ffff:10.0.0.5", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local
    assert came_on_loopback({"type": "http", "server": (host, 8000)}) is local


def test_a_unix_socket_is_this_machine_and_no_address_is_not() -> None:
    assert came_on_loopback({"type": "http", "server": ("/run/counterpoint.sock", None)})
    assert not came_on_loopback({"type": "http", "server": None})


def test_beyond_loopback_the_start_needs_a_key(run: Any) -> None:
    refused = run("serve", "--host", "0.0.0.0", "--port", "0", "--workers", "2")
    assert refused.returncode == 1
    assert "0.0.0.0 is not loopback, and there is no usable API key" in refused.stderr
    assert "counterpoint keys create" in refused.stderr
    assert "COUNTERPOINT_OPEN=true" in refused.stderr


def test_workers_follow_and_logs_hold_no_key(
    secret_file: Path, invoke: Any, started: Any, environment: dict[str, str], until: Until
) -> None:
    environment["COUNTERPOINT_KEY_CHECK_S"] = "0.2"
    key = json.loads(invoke("keys", "create", "site", "--json").stdout)

    with started("--host", "0.0.0.0", "--workers", "2") as served:
        place = served.url.replace("0.0.0.0", other_address())

        def ask(**headers: str) -> int:
            return httpx.get(f"{place}/v1/models", headers=headers, trust_env=False).status_code

        def answers() -> bool:
            try:
                return ask() == 401
            except httpx.TransportError:
                return False

        until(answers)
        assert {ask(**{"X-API-Key": key["key"]}) for _ in range(SURE)} == {200}
        for path in (
            f"/v1/models?key={key['key']}",
            f"/v1alpha1/comments:analyze?key={key['key']}",
            f"/v1/articles/{key['key']}",
            f"/{key['key']}",
        ):
            for headers in ({}, {"X-API-Key": key["key"], "X-Request-ID": key["key"], "Referer": key["key"]}):
                httpx.get(place + path, headers=headers, trust_env=False)
        invoke("keys", "revoke", key["id"])
        until(lambda: all(ask(**{"X-API-Key": key["key"]}) == 401 for _ in range(SURE)))
    log = "\n".join(served.lines)
    assert f"cp_{key['id']}_..." in log
    assert key["key"].rsplit("_", 1)[1] not in log


@contextmanager
def bare_uvicorn(environment: dict[str, str], port: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory"]
    command += ["--host", "0.0.0.0", "--port", str(port)]
    pipes: dict[str, Any] = {"stderr": subprocess.STDOUT, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as it:
        try:
            yield it
        finally:
            it.terminate()


def test_a_bare_uvicorn_answers_this_machine_alone(
    environment: dict[str, str], until: Until, tmp_path: Path
) -> None:
    """uvicorn's own --host is not known to the settings, but each request tells where it came in."""
    with socket.socket() as free:
        free.bind(("0.0.0.0", 0))
        port = free.getsockname()[1]
    python_path = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
    with bare_uvicorn(environment | {"PYTHONPATH": python_path}, port) as process:

        def ask(host: str, path: str = "/v1/models?key=cp_abcdefghij_Rosebud") -> int:
            try:
                return httpx.get(f"http://{host}:{port}{path}", trust_env=False).status_code
            except httpx.TransportError:
                assert process.poll() is None
                return 0

        assert until(lambda: ask("127.0.0.1")) == 200
        assert ask(other_address()) == 401
        assert ask(other_address(), "/livez") == 200
    log = process.stdout.read() if process.stdout and not process.stdout.closed else ""
    assert "Rosebud" not in log
