"""Three engines, one pipeline: the same bytes from each; and what each has to cope with."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.errors import ServiceUnavailable
from app.rescore import PartError, Service, in_process, on_cluster, through_service
from tests.support.background import in_background

COUNT = 160


@pytest.fixture
def archive(bench: Any, make: Any, write: Any) -> Path:
    rows = make(COUNT, premise="The city should close the square to cars.")
    for row in rows[::3]:
        row["parent_text"] = "School phones ought to be banned."
        del row["premise"]
    rows[9]["text"] = "   "
    rows[17]["text"] = "x" * 30_000
    rows[40]["id"] = "c2"
    path: Path = write(bench.folder / "in.jsonl", rows)
    return path


@contextmanager
def between(
    url: str, refuse: Callable[[int, str, bytes], tuple[int, dict[str, str]] | None]
) -> Iterator[str]:
    """A server that hands everything on to the real one, but for what `refuse` answers itself."""
    lock, count = threading.Lock(), 0
    upstream = httpx.Client(base_url=url, timeout=120, trust_env=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            nonlocal count
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                count += 1
                number = count
            refused = refuse(number, self.path, body)
            if refused is None:
                kind = {"Content-Type": "application/json"}
                real = upstream.request(self.command, self.path, content=body, headers=kind)
                self.reply(real.status_code, real.content, {})
            else:
                self.reply(refused[0], b"", refused[1])

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    try:
        with in_background(server):
            yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        upstream.close()


def test_every_engine_writes_the_same_bytes(
    bench: Any, archive: Path, service_url: str, cluster: Any
) -> None:
    with Service(service_url, key=None, concurrency=3) as service:
        engines = {
            "one": (in_process(1), bench.model),
            "two": (in_process(2), bench.model),
            "service": (through_service(service, 3), service.model()),
            "cluster": (on_cluster(cluster.address), bench.model),
        }
        for ending in ("jsonl", "csv.gz", "parquet"):
            for name, (engine, model) in engines.items():
                output = f"{name}.{ending}"
                outcome = bench.run(archive, output, engine=engine, model=model, part_bytes=3_000)
                assert (outcome.rows, outcome.rejects) == (COUNT - 3, 3)
            contents = {(bench.folder / f"{name}.{ending}").read_bytes() for name in engines}
            assert len(contents) == 1, ending
            assert (
                len({(bench.folder / f"{name}.{ending}.rejects.jsonl").read_bytes() for name in engines}) == 1
            )


def test_scores_do_not_depend_on_how_the_input_is_cut(bench: Any, archive: Path) -> None:
    for size in (1_000, 7_777, 4_000_000):
        bench.run(archive, f"{size}.jsonl", part_bytes=size)
    assert len({(bench.folder / f"{size}.jsonl").read_bytes() for size in (1_000, 7_777, 4_000_000)}) == 1


def test_a_busy_service_is_asked_again_and_less(bench: Any, archive: Path, service_url: str) -> None:
    sizes: list[int] = []

    def refuse(number: int, path: str, body: bytes) -> tuple[int, dict[str, str]] | None:
        if "batch" not in path:
            return None
        sizes.append(body.count(b'"text":'))
        if sizes[-1] > 60:
            return 413, {}
        return (429 if number % 4 else 503, {"Retry-After": "0"}) if number % 2 else None

    with between(service_url, refuse) as url, Service(url, key=None, concurrency=2) as service:
        bench.run(archive, "busy.jsonl", engine=through_service(service, 2), model=service.model())
    bench.run(archive)
    assert (bench.folder / "busy.jsonl").read_bytes() == (bench.folder / "out.jsonl").read_bytes()
    assert max(sizes) > 60
    assert min(sizes) < 60


def test_the_key_is_sent_and_a_dead_service_is_told(bench: Any, archive: Path, service_url: str) -> None:
    with between(service_url, lambda number, path, body: None) as url:
        pass
    service = Service(url, key="a-key-of-ours", concurrency=1, retries=1, backoff_s=0.0)
    with service, pytest.raises(ServiceUnavailable, match="no answer") as error:
        service.model()
    assert "a-key-of-ours" not in str(error.value)


def test_a_model_that_changes_during_the_run_stops_it(
    bench: Any, archive: Path, service_url: str, older: Any
) -> None:
    with (
        Service(service_url, key=None, concurrency=1) as service,
        pytest.raises(PartError, match="changed from"),
    ):
        bench.run(archive, engine=through_service(service, 1), model=older)
    assert not (bench.folder / "out.jsonl").exists()


def test_a_scheduler_that_is_not_there_is_told(bench: Any, archive: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("app.rescore.engines._CONNECT_S", 1)
    with pytest.raises(PartError, match="no Dask scheduler answers"):
        bench.run(archive, engine=on_cluster("tcp://127.0.0.1:9"))
