"""The service under load on loopback: /v1/score beside comments:analyze, in one run.

python -m benchmarks.http [--connections 16] [--requests 3000] [--encoder-share 0.2]

One worker process serves; this process asks, each connection one request after the other. The texts are
the project's example comments, without a premise; the machine should have two cores to spare.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from data.examples import load_examples
from models import ATTRIBUTES

__all__ = ["measure_http", "serving"]

_START_S = 60


def measure_http(url: str, connections: int, requests: int) -> list[dict[str, Any]]:
    """Return one row a route: requests a second and latencies in milliseconds."""
    texts = [comment.text for thread in load_examples() for comment in thread.comments]
    routes: dict[str, list[Any]] = {
        "/v1/score": [{"comment": {"text": text}} for text in texts],
        "/v1alpha1/comments:analyze": [
            {"comment": {"text": text}, "requestedAttributes": {name: {} for name in ATTRIBUTES}}
            for text in texts
        ],
    }
    asyncio.run(_load(url, "/v1/score", routes["/v1/score"], connections, len(texts)))  # warm
    rows = [asyncio.run(_load(url, route, bodies, connections, requests)) for route, bodies in routes.items()]
    for row in rows:
        row["ratio"] = round(row["per_second"] / rows[0]["per_second"], 2)
    return rows


async def _load(url: str, route: str, bodies: list[Any], connections: int, requests: int) -> dict[str, Any]:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    latencies: list[float] = []
    numbers = iter(range(requests))

    async def ask(client: httpx.AsyncClient) -> None:
        for number in numbers:
            began = time.perf_counter()
            response = await client.post(route, json=bodies[number % len(bodies)])
            latencies.append(time.perf_counter() - began)
            response.raise_for_status()

    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        began = time.perf_counter()
        await asyncio.gather(*(ask(client) for _ in range(connections)))
        seconds = time.perf_counter() - began
    p50, p95, p99 = np.percentile(np.array(latencies) * 1000, (50, 95, 99))
    return {
        "route": route,
        "per_second": round(requests / seconds),
        "p50": round(float(p50), 1),
        "p95": round(float(p95), 1),
        "p99": round(float(p99), 1),
    }


@contextmanager
def serving(**settings: str) -> Iterator[str]:
    """Serve the newest bundle on a free port, in a process of its own; yields the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        environment = os.environ | settings
        environment["COUNTERPOINT_DATABASE_URL"] = f"sqlite:///{folder}/x.sqlite3"
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the service did not start")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Throughput and latency of the service on loopback.")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--requests", type=int, default=3_000, help="of each route")
    parser.add_argument("--encoder-share", default=None, help="COUNTERPOINT_ENCODER_SHARE of the service")
    asked = parser.parse_args()
    settings = {} if asked.encoder_share is None else {"COUNTERPOINT_ENCODER_SHARE": asked.encoder_share}
    columns = {
        "route": "",
        "per_second": "requests/s",
        "ratio": "against /v1/score",
        "p50": "p50 ms",
        "p95": "p95 ms",
        "p99": "p99 ms",
    }
    table = Table(*columns.values(), title=f"{asked.connections} connections, one worker")
    with serving(**settings) as url:
        for row in measure_http(url, asked.connections, asked.requests):
            table.add_row(*(str(row[name]) for name in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
