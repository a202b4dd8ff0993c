"""`counterpoint serve`: start the HTTP service."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.settings import Settings

__all__ = ["serve"]

_WORKER_PATIENCE_S = 60  # one that scores long texts may not answer its supervisor at once

_EXAMPLE = (
    "curl -s {address}/v1/score -H 'Content-Type: application/json' \\\n"
    '  -d \'{{"comment": {{"text": "Closing the square would ruin the shops there. Leave it open."}},\n'
    '       "article": {{"premise": "The city should close the square to cars."}}}}\''
)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.", show_default="8000")] = None,
    releases: Annotated[
        Path | None, typer.Option(help="Folder of bundles.", show_default="the shipped ones")
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(help="Bundle to serve, whatever is activated.", show_default="the active one"),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer, each with its own models.")] = 1,
) -> None:
    """Start the service: scores over HTTP, OpenAPI at /openapi.json.

    Every setting is also an environment variable; docs/settings.md lists them. Options win.

    For example:

      counterpoint serve

      COUNTERPOINT_THRESHOLDS__INSULT__REVIEW=0.6 counterpoint serve --port 9000

      counterpoint serve --workers 4
    """
    from app.limits.server import server_config
    from app.main import create_app
    from app.ops.logging import configure_logging
    from app.settings import load_settings

    chosen = {"host": host, "port": port, "releases": releases, "bundle_version": version}
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    settings = load_settings(**given)
    configure_logging(settings.log_level)
    if workers > 1:
        _serve_by_several(settings, given, workers)
        return
    app = create_app(settings)
    _Announcing(server_config(app, settings)).run()


def _serve_by_several(settings: "Settings", given: dict[str, Any], workers: int) -> None:
    """Start workers, which read their settings from the environment, and start again those that die."""
    from uvicorn.supervisors import Multiprocess

    from app.access.starting import check_start
    from app.limits.server import server_config
    from app.ops.workers import sharing
    from app.settings import PREFIX
    from app.store import Store
    from app.store.address import database_url

    class Supervisor(Multiprocess):
        def terminate_all(self) -> None:
            super().terminate_all()
            for one in self.sockets:  # else connections would wait here that nobody accepts any more
                one.close()

    store = Store(database_url(settings), timeout_s=settings.database_timeout_s)
    check_start(settings, store.keys)  # each worker looks too, but would only be started again
    store.close()
    os.environ |= {f"{PREFIX}{name.upper()}": str(value) for name, value in given.items()}
    config = server_config(
        "app.main:create_app",
        settings,
        factory=True,
        workers=workers,
        loop="app.ops.accepting:SharingLoop",
        timeout_worker_healthcheck=_WORKER_PATIENCE_S,
    )
    socket = config.bind_socket()
    _announce(socket.getsockname())
    with sharing():
        Supervisor(config, [socket]).run()


class _Announcing:
    """A uvicorn server that says where it listens once it does."""

    def __init__(self, config: Any) -> None:
        import uvicorn

        class Server(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                if self.started:
                    _announce(self.servers[0].sockets[0].getsockname())

        self._server = Server(config)

    def run(self) -> None:
        self._server.run()
        if not self._server.started:
            raise typer.Exit(1)


def _announce(name: tuple[Any, ...]) -> None:
    host, port = str(name[0]), int(name[1])
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    # Where nobody takes what is printed any more, comments are scored all the same.
    with suppress(OSError):
        if sys.stderr is None:
            return
        if sys.stderr.isatty():
            typer.echo(f"\nCounterpoint answers on {address} (Ctrl-C stops it). Try:\n", err=True)
            typer.echo(f"{_EXAMPLE.format(address=address)}\n", err=True)
        else:
            _announce_in_log(address)


def _announce_in_log(address: str) -> None:
    """Tell where the service listens as a line of the log, whatever is its level."""
    import logging

    from app.ops.logging import JsonFormatter

    message = f"Counterpoint answers on {address} until it is told to stop"
    record = {"name": "counterpoint.service", "levelname": "INFO", "msg": message}
    print(JsonFormatter().format(logging.makeLogRecord(record)), file=sys.stderr, flush=True)  # noqa: T201
