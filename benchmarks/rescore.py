"""`counterpoint rescore` on a generated archive, every engine, against a naive loop in the same run.

python -m benchmarks.rescore [--rows 1000000] [--service-rows N] [--cluster] [--folder DIR]

The comments are sentences of the project's examples, put together anew to about 350 characters, each with a
number of its own. The reference is a loop over the lines, scikit-learn's usual pipeline in batches of 1,000,
JSON lines out. Civility alone, the fast stage alone. Rows a second are those of the wall clock, models loaded
and joined output included, and those of a core's own seconds while scoring, which other programs on the
machine disturb less.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from threadpoolctl import threadpool_limits

from benchmarks.http import serving
from data.examples import load_examples
from models.evidence import sentences

__all__ = ["measure_rescoring", "write_archive"]

_CHARACTERS = 350
_BATCH = 1_000
_MOST_OF_REFERENCE = 20_000
_POLL_S = 0.2


def write_archive(path: Path, rows: int) -> None:
    """Write comments as JSON lines; the same ones at every call."""
    chance = random.Random(1)
    parts = [part for text in _comments() for part in sentences(text)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            text = chance.choice(parts)
            while len(text) < _CHARACTERS - 40:
                text += " " + chance.choice(parts)
            file.write(
                json.dumps({"id": f"c{number}", "text": f"{text} {number}"}, ensure_ascii=False) + "\n"
            )


def measure_rescoring(
    archive: Path, rows: int, service_rows: int, folder: Path, *, cluster: bool
) -> Iterator[dict[str, Any]]:
    """Yield a row an engine, the reference first."""
    with threadpool_limits(1):
        reference = _reference(archive, min(rows, _MOST_OF_REFERENCE), folder / "reference.jsonl")
    yield reference
    runs: list[tuple[str, list[str], int, int]] = [
        ("in process, 1 worker", ["--workers", "1", "--encoder-share", "0"], rows, 1),
        ("in process, 2 workers", ["--workers", "2", "--encoder-share", "0"], rows, 2),
    ]
    for what, options, count, workers in runs:
        yield _row(what, archive, options, count, workers, folder, reference)
    part = folder / "part.jsonl"
    with archive.open("rb") as source, part.open("wb") as target:
        target.writelines(islice(source, service_rows))
    with serving({"COUNTERPOINT_ENCODER_SHARE": "0"}, with_echo=False) as served:
        yield _row("through a service", part, ["--url", served.url], service_rows, 1, folder, reference)
    if cluster:
        with _cluster(folder) as address:
            options = ["--scheduler", address, "--encoder-share", "0"]
            yield _row("Dask, 2 workers", archive, options, rows, 2, folder, reference)


def _comments() -> list[str]:
    return [comment.text for thread in load_examples() for comment in thread.comments]


def _reference(archive: Path, rows: int, output: Path) -> dict[str, Any]:
    comments = _comments()
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    )
    model = make_pipeline(features, LogisticRegression()).fit(comments, [n % 2 for n in range(len(comments))])
    began, cpu_began = time.perf_counter(), time.process_time()
    with archive.open(encoding="utf-8") as lines, output.open("w", encoding="utf-8") as file:
        for start in range(0, rows, _BATCH):
            batch = [json.loads(line) for line in islice(lines, min(_BATCH, rows - start))]
            scores = model.predict_proba([row["text"] for row in batch])[:, 1]
            for row, score in zip(batch, scores, strict=True):
                file.write(json.dumps({"id": row["id"], "score": round(float(score), 4)}) + "\n")
    took, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    return {
        "what": "naive loop, reference",
        "rows": rows,
        "seconds": took,
        "per_second": rows / took,
        "a_core": rows / cpu,
        "ratio": 1.0,
        "mb": None,
    }


def _row(
    what: str,
    archive: Path,
    options: list[str],
    rows: int,
    workers: int,
    folder: Path,
    reference: dict[str, Any],
) -> dict[str, Any]:
    output = folder / "scores.jsonl"
    command = [sys.executable, "-m", "app.cli", "rescore", str(archive), "--output", str(output), "--force"]
    began = time.perf_counter()
    process = psutil.Popen(
        [*command, "--no-stance", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, *_resident(process), 0)
        time.sleep(_POLL_S)
    took = time.perf_counter() - began
    assert process.returncode == 0, what
    manifest = json.loads(output.with_name(f"{output.name}.manifest.json").read_bytes())
    assert manifest["counts"]["output"] == rows
    cpu = manifest["timings"]["scoring_cpu_seconds"]
    is_service = "--url" in options
    return {
        "what": what,
        "rows": rows,
        "seconds": took,
        "per_second": rows / took,
        "a_core": None if is_service else rows / cpu,
        "ratio": rows / took / reference["per_second"] if is_service else rows / cpu / reference["a_core"],
        "mb": peak / 1e6,
    }


def _resident(process: psutil.Process) -> list[int]:
    found = []
    for one in [process, *process.children(recursive=True)]:
        try:
            found.append(one.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return found


@contextmanager
def _cluster(folder: Path) -> Iterator[str]:
    told = folder / "scheduler.json"
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    with ExitStack() as processes:
        for role, options in (
            ("scheduler", ["--host", "127.0.0.1", "--port", "0"]),
            ("worker", ["--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder)]),
        ):
            command = [sys.executable, "-m", f"distributed.cli.dask_{role}", *options, *common]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ)
            processes.callback(process.wait)
            processes.callback(process.terminate)
        from distributed import Client

        with Client(scheduler_file=str(told), timeout=120) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(2)
            address: str = client.scheduler.address
        yield address


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Rescoring an archive, every engine, in one run.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--service-rows", type=int, default=None, help="through the service; default: all")
    parser.add_argument("--cluster", action="store_true", help="also on a Dask cluster of two workers")
    parser.add_argument("--folder", type=Path, default=None, help="default: a temporary one")
    asked = parser.parse_args()
    columns = {
        "what": "",
        "rows": "rows",
        "seconds": "seconds",
        "per_second": "rows/s",
        "a_core": "rows/s a core",
        "ratio": "times the reference",
        "mb": "peak MB a process",
    }
    table = Table(*columns.values(), title=f"{asked.rows:,} comments of about {_CHARACTERS} characters")
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        write_archive(folder / "archive.jsonl", asked.rows)
        found = measure_rescoring(
            folder / "archive.jsonl",
            asked.rows,
            asked.service_rows or asked.rows,
            folder,
            cluster=asked.cluster,
        )
        for row in found:
            table.add_row(*(_cell(row[name]) for name in columns))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
