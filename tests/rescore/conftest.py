"""A tiny model, archives of its sentences, and a run of them in this process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import distributed
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.rescore import Engine, Order, Outcome, Rescoring, in_process, kind_of_output, model_of, rescore
from app.rescore.job import Model
from app.settings import Settings

Rows = list[dict[str, Any]]

SENTENCES = (
    "Thank you for this careful report.",
    "You are a stupid idiot, what a moron.",
    "Where can I read the full study?",
    "This is bloody crap, damn this shit.",
    "I see this differently, but it is well argued.",
    "I will hurt you, you will be killed.",
    "Você é um idiota completo, um imbecil total.",
    "Those foreigners are vermin and animals.",
    "Der Rat stimmt am Montag darüber ab, und wir gehen alle hin.",
)


def make_rows(count: int, **more: Any) -> Rows:
    return [
        {"id": f"c{place}", "text": f"{SENTENCES[place % len(SENTENCES)]} Number {place}, “quoted”.", **more}
        for place in range(count)
    ]


def write_lines(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read_lines(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True)
class Workbench:
    """Runs archives with the tiny model."""

    folder: Path
    model: Model

    def order(self, given: str | Path | None, **more: Any) -> Order:
        return Order(None if given is None else str(given), **more)

    def run(
        self,
        given: str | Path | Order,
        output: str = "out.jsonl",
        *,
        engine: Engine | None = None,
        model: Model | None = None,
        progress: Callable[[str, int, int | None], None] = lambda stage, done, total: None,
        **more: Any,
    ) -> Outcome:
        path = self.folder / output
        asked = Rescoring(
            order=given if isinstance(given, Order) else self.order(given),
            output=path,
            model=model or self.model,
            engine_name="test",
            kind=kind_of_output(path),
            **more,
        )
        return rescore(asked, engine or in_process(1), progress)

    def rows(self, output: str = "out.jsonl") -> Rows:
        return read_lines(self.folder / output)

    def rejects(self, output: str = "out.jsonl") -> Rows:
        return read_lines(self.folder / f"{output}.rejects.jsonl")


@pytest.fixture(scope="session")
def tiny_settings(releases: Path, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    database = tmp_path_factory.mktemp("store") / "counterpoint.sqlite3"
    return Settings(releases=releases, bundle_version=bundle_path.name, database_url=f"sqlite:///{database}")


@pytest.fixture
def bench(tmp_path: Path, bundle_path: Path, tiny_settings: Settings) -> Workbench:
    return Workbench(tmp_path, model_of(bundle_path, tiny_settings))


@pytest.fixture
def older(second_bundle_path: Path, tiny_settings: Settings) -> Model:
    return model_of(second_bundle_path, tiny_settings)


@pytest.fixture(scope="session")
def service_url(
    run_app: Callable[[FastAPI], AbstractContextManager[str]], tiny_settings: Settings
) -> Iterator[str]:
    """A real service with the tiny model on a free loopback port."""
    with run_app(create_app(tiny_settings)) as url:
        yield url


@pytest.fixture
def make() -> Callable[..., Rows]:
    return make_rows


@pytest.fixture
def write() -> Callable[[Path, Rows], Path]:
    return write_lines


@dataclass(frozen=True)
class Cluster:
    """A Dask scheduler and its workers, processes of their own."""

    address: str

    def worker_pids(self) -> list[int]:
        with distributed.Client(self.address, timeout=60) as client:
            client.wait_for_workers(1)
            return list(client.run(os.getpid).values())


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    told = folder / "scheduler.json"
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with ExitStack() as processes, (folder / "log").open("wb") as log:

        def start(*command: str) -> None:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:], *common],
                env=env,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
            processes.callback(process.wait)
            processes.callback(process.terminate)

        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        start("worker", "--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder))
        client = distributed.Client(scheduler_file=str(told), timeout=120)
        with client:
            client.wait_for_workers(2, timeout=240)
            address = client.scheduler.address
        yield Cluster(address)
