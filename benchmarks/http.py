"""The service under load on loopback, beside an echo of the same routes, in one run.

python -m benchmarks.http [--connections 1 16 64] [--seconds 5] [--workers 1 2] [--encoder-share 0] [--stance]

One process asks, by wrk where that is installed. It takes a core of its own, so the table also tells the
processor time that the workers themselves take for a request: the share of it that is the echo's is what
"CPU ratio" says, and holds on a machine that is busy. The texts are the project's example comments, with
`--stance` towards their articles' premises; no two requests of a run have the same one, so that no encoder
remembers its answer.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.asking import Asked, ask, generator
from benchmarks.echo import ECHO
from data.examples import load_examples
from models import ATTRIBUTES

__all__ = ["Served", "bodies_of", "measure_http", "serving"]

ROUTES = ("/v1/score", "/v1/score/batch", "/v1alpha1/comments:analyze")
_START_S = 120
_BATCH = 32
_VARIATIONS = 40  # of each text


@dataclass(frozen=True, slots=True)
class Served:
    """A running service."""

    url: str
    process: int

    def processor_seconds(self) -> float:
        """Return the processor time that all of its processes have taken so far."""
        first = psutil.Process(self.process)
        times = [process.cpu_times() for process in (first, *first.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))


def bodies_of(route: str, *, stance: bool = False) -> list[Any]:
    """Return requests of a route, no two alike; with `stance` our own routes' have a premise."""
    examples = [(thread.article.premise, one.text) for thread in load_examples() for one in thread.comments]
    texts = [(premise, f"{text} ({number})") for number in range(_VARIATIONS) for premise, text in examples]
    if route == ROUTES[2]:
        asked: dict[str, dict[str, object]] = {name: {} for name in ATTRIBUTES}
        return [{"comment": {"text": text}, "requestedAttributes": asked} for _, text in texts]
    items: list[dict[str, Any]] = [
        {"comment": {"text": text}} | ({"article": {"premise": premise}} if stance else {})
        for premise, text in texts
    ]
    if route == ROUTES[0]:
        return items
    return [{"items": items[begin : begin + _BATCH]} for begin in range(0, len(items), _BATCH)]


def measure_http(
    served: Served, connections: Sequence[int], seconds: float, *, stance: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield a row for each route and number of connections.

    `per_second` are comments; latencies are milliseconds; `cpu` is the workers' processor time for a
    comment in microseconds; `ratio` compares throughput with the echo's, `cpu_ratio` that time.
    """
    for route in ROUTES[:2] if stance else ROUTES:
        bodies = bodies_of(route, stance=stance)
        ask(served.url + route, bodies, 16, min(seconds, 3))  # warm
        for number in connections:
            echo = _measured(served, ECHO + route, bodies, number, seconds)
            row = _measured(served, route, bodies, number, seconds)
            row["ratio"] = row["per_second"] / echo["per_second"]
            row["cpu_ratio"] = echo["cpu"] / row["cpu"]
            yield row | {"echo": echo["per_second"]}


def _measured(
    served: Served, path: str, bodies: Sequence[Any], connections: int, seconds: float
) -> dict[str, Any]:
    comments = _BATCH if path.endswith("batch") else 1
    before = served.processor_seconds()
    asked: Asked = ask(served.url + path, bodies, connections, seconds)
    spent = served.processor_seconds() - before
    if not asked.requests:
        raise SystemExit(f"{path}: not one request was answered within {seconds:g} s")
    return {
        "route": path,
        "connections": connections,
        "per_second": comments * asked.requests / asked.seconds,
        "p50": asked.p50,
        "p95": asked.p95,
        "p99": asked.p99,
        "cpu": 1e6 * spent / (comments * asked.requests),
        "failed": asked.failed,
    }


@contextmanager
def serving(settings: Mapping[str, str], workers: int = 1, *, with_echo: bool = True) -> Iterator[Served]:
    """Serve the newest bundle on a free port in processes of its own: with echo routes, or as users do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        environment = os.environ | dict(settings)
        environment["COUNTERPOINT_DATABASE_URL"] = f"sqlite:///{folder}/x.sqlite3"
        environment["COUNTERPOINT_OBSERVATIONS"] = f"{folder}/observations"
        environment["COUNTERPOINT_ACTIVE_FILE"] = f"{folder}/active.json"
        command = [sys.executable, "-m", "app.cli", "serve"]
        if with_echo:
            command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.echo:create_app"]
            command += ["--log-level", "error", "--timeout-worker-healthcheck", "60"]
            command += ["--loop", "app.ops.accepting:SharingLoop"]
        command += ["--port", str(port), "--workers", str(workers)]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield Served(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=30).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the service did not start")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Throughput and latency of the service on loopback.")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--workers", type=int, nargs="+", default=[1], help="one run for each number")
    parser.add_argument("--encoder-share", default=None, help="COUNTERPOINT_ENCODER_SHARE of the service")
    parser.add_argument("--stance", action="store_true", help="also towards a premise, on our own routes")
    asked = parser.parse_args()
    settings = {"COUNTERPOINT_OVERLOAD_LATENCY_MS": "null"}  # nothing is refused, however many ask
    if asked.encoder_share is not None:
        settings["COUNTERPOINT_ENCODER_SHARE"] = asked.encoder_share
    columns = {
        "route": ("", "{}"),
        "connections": ("connections", "{}"),
        "per_second": ("comments/s", "{:,.0f}"),
        "echo": ("echo/s", "{:,.0f}"),
        "ratio": ("ratio", "{:.2f}"),
        "cpu": ("CPU µs", "{:,.0f}"),
        "cpu_ratio": ("CPU ratio", "{:.2f}"),
        "p50": ("p50 ms", "{:.1f}"),
        "p95": ("p95 ms", "{:.1f}"),
        "p99": ("p99 ms", "{:.1f}"),
        "failed": ("failed", "{}"),
    }
    for workers in asked.workers:
        title = f"{workers} worker{'s' if workers > 1 else ''}, asked by {generator()}"
        table = Table(*(name for name, _ in columns.values()), title=title)
        with serving(settings, workers) as served:
            for row in measure_http(served, asked.connections, asked.seconds, stance=asked.stance):
                table.add_row(*(layout.format(row[name]) for name, (_, layout) in columns.items()))
        Console(width=130).print(table)


if __name__ == "__main__":
    main()
