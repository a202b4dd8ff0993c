"""A real service, and foreign clients that call it from environments of their own, unmodified."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.store import Store
from app.store.feedback import FeedbackStore
from tests.clients.environments import UnavailableError, node_modules, python_of
from tests.clients.intercepting import intercepting_proxy

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE_S = 120
CORAL_SECRETS = ["coral-secret-of-the-tests", "coral-secret-before-the-rotation"]

Run = Callable[..., Any]


@pytest.fixture(scope="session")
def database_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "counterpoint.sqlite3"


@pytest.fixture(scope="session")
def feedback(database_path: Path) -> Iterator[FeedbackStore]:
    """Reads what the service has kept, on a connection of its own."""
    store = Store(f"sqlite:///{database_path}")
    yield store.feedback
    store.close()


@pytest.fixture(scope="session")
def server_url(serve: Any, database_path: Path) -> Iterator[str]:
    thresholds = {"insult": {"review": 0.5, "reject": None}}
    with serve(
        database_url=f"sqlite:///{database_path}", coral_secrets=CORAL_SECRETS, thresholds=thresholds
    ) as running:
        yield running.url


@pytest.fixture(scope="session")
def coral_secrets() -> list[str]:
    return CORAL_SECRETS


@pytest.fixture(scope="session")
def client_python() -> Callable[[str], Path]:
    """Give the Python of the client environment of that name; the test is skipped where there is none."""

    def give(name: str) -> Path:
        try:
            python: Path = python_of(name)
        except UnavailableError as error:
            pytest.skip(str(error))
        return python

    return give


@pytest.fixture(scope="session")
def run_python(client_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a script in a client environment; gives the JSON that it prints."""

    def run(environment: str, script: str, *arguments: str, **variables: str) -> Any:
        command = [str(client_python(environment)), "-I", str(SCRIPTS / script), *arguments]
        return _json_of(command, tmp_path_factory.mktemp(environment), variables)

    return run


@pytest.fixture(scope="session")
def run_node(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a script in Node.js, with options before it; gives the JSON that it prints."""

    def run(script: str, *arguments: str, options: tuple[str, ...] = (), **variables: str) -> Any:
        try:
            modules = node_modules()
        except UnavailableError as error:
            pytest.skip(str(error))
        command = ["node", *options, str(SCRIPTS / script), *arguments]
        return _json_of(command, tmp_path_factory.mktemp("node"), {"NODE_PATH": str(modules), **variables})

    return run


def _json_of(command: list[str], home: Path, variables: Mapping[str, str]) -> Any:
    # Nothing else of the environment: above all no proxy, and no settings of the clients.
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **variables}
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def authority(
    client_python: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A certificate for the API's host, its key, and the authority behind it, made for this run."""
    folder = tmp_path_factory.mktemp("authority")
    command = [client_python("pyperspective"), "-m", "trustme", "--quiet"]
    options = ["--dir", str(folder), "--identities", "commentanalyzer.googleapis.com"]
    subprocess.run([*command, *options], check=True, timeout=PATIENCE_S)
    names = {"certificate": "server.pem", "key": "server.key", "authority": "client.pem"}
    return {name: folder / file for name, file in names.items()}


@pytest.fixture(scope="session")
def proxy(server_url: str, authority: dict[str, Path]) -> Iterator[Any]:
    """An HTTPS proxy behind which every host is our service."""
    host, port = server_url.removeprefix("http://").split(":")
    with intercepting_proxy((host, int(port)), authority["certificate"], authority["key"]) as running:
        yield running
