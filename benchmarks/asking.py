"""Connections that ask without a pause: by wrk where it is installed, else by asyncio, which is slower."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from benchmarks.connection import Connection, post

__all__ = ["Asked", "ask", "generator"]

_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it: answers, how many were errors, and latencies in milliseconds."""

    requests: int
    seconds: float
    failed: int
    p50: float
    p95: float
    p99: float


def generator() -> str:
    """Return what will ask: "wrk" or "asyncio"."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def ask(url: str, bodies: Sequence[object], connections: int, seconds: float) -> Asked:
    """Post `bodies` in turn to `url` for some seconds, each connection one request after the other."""
    if generator() == "asyncio":
        return asyncio.run(_ask(url, bodies, connections, seconds))
    with NamedTemporaryFile("w", suffix=".jsonl") as lines:
        lines.writelines(json.dumps(body) + "\n" for body in bodies)
        lines.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "60s"]
        command += ["-s", str(_SCRIPT), url, "--", lines.name]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Asked(**json.loads(told.splitlines()[-1]))


async def _ask(url: str, bodies: Sequence[object], connections: int, seconds: float) -> Asked:
    requests = [post(url, body) for body in bodies]
    latencies: list[float] = []
    failed = 0
    began = time.perf_counter()

    async def ask(place: int) -> None:
        nonlocal failed
        connection = await Connection.open(url)
        while (now := time.perf_counter()) < began + seconds:
            status, _ = await connection.ask(requests[place % len(requests)])
            latencies.append(time.perf_counter() - now)
            failed += status != 200
            place += connections
        connection.close()

    await asyncio.gather(*(ask(place) for place in range(connections)))
    p50, p95, p99 = (float(p) for p in np.percentile(np.array(latencies) * 1_000, (50, 95, 99)))
    return Asked(len(latencies), time.perf_counter() - began, failed, p50, p95, p99)
