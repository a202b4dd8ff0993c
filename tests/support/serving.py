"""Fixtures that serve: a real service in this process, on a free loopback port."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from app.limits.server import server_config
from app.main import create_app
from app.service import Service
from app.settings import Settings


@dataclass(frozen=True)
class Running:
    app: FastAPI
    url: str

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep the models busy while the context lasts: what comes waits."""
        go = threading.Event()
        self.service.batcher._worker.submit(go.wait, 120)
        try:
            yield
        finally:
            go.set()


Serve = Callable[..., AbstractContextManager[Running]]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    @property
    def port(self) -> int:
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port


@contextmanager
def _run_app(app: FastAPI) -> Iterator[str]:
    chosen = {"host": "127.0.0.1", "port": 0, "log_level": "error", "lifespan": "on"}
    server = _Server(server_config(app, app.state.service.settings, **chosen))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert server.settled.wait(60), "the server did not start"
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.should_exit = True
        thread.join(60)


@pytest.fixture(scope="session")
def make_settings(releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Settings]:
    def make(**overrides: Any) -> Settings:
        folder = tmp_path_factory.mktemp("store")
        defaults: dict[str, Any] = {
            "releases": releases,
            "database_url": f"sqlite:///{folder / 'counterpoint.sqlite3'}",
            "active_file": folder / "active.json",
            "observations": folder / "observations",
        }
        return Settings(**(defaults | overrides))

    return make


@pytest.fixture(scope="session")
def serve(make_settings: Callable[..., Settings]) -> Serve:
    """Start a service with some settings changed, for as long as the context lasts."""

    @contextmanager
    def run(**overrides: object) -> Iterator[Running]:
        app = create_app(make_settings(**overrides))
        with _run_app(app) as url:
            yield Running(app, url)

    return run


@pytest.fixture(scope="session")
def run_app() -> Callable[[FastAPI], AbstractContextManager[str]]:
    """Serve an app of the service on a free loopback port; gives its URL."""
    return _run_app
