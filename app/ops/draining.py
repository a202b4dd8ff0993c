"""The end of a process: it tells balancers to go elsewhere first, and only then stops listening."""

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CloseWhileDraining", "Draining"]

_log = logging.getLogger("counterpoint.service")


class Draining:
    """Whether this process is about to end.

    Args:
        wait_s: how long, in seconds, it goes on answering new requests after the first SIGTERM.

    Attributes:
        begun: whether SIGTERM has come.
    """

    def __init__(self, wait_s: float) -> None:
        self.begun = False
        self._wait_s = wait_s

    @contextmanager
    def on_sigterm(self) -> Iterator[None]:
        """While the context is open, let SIGTERM begin the draining, and reach the server when it is over.

        Called from the event loop. A server that runs outside of the main thread gets no signals.
        """
        server = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread() or not callable(server):
            yield
            return
        loop = asyncio.get_running_loop()

        def begin(number: int, frame: FrameType | None) -> None:
            if self.begun:  # systemd and a supervisor may both send one
                return
            self.begun = True
            loop.call_soon_threadsafe(self._announce)
            loop.call_soon_threadsafe(loop.call_later, self._wait_s, server, number, frame)

        signal.signal(signal.SIGTERM, begin)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, server)

    def _announce(self) -> None:
        fields = {"wait_s": self._wait_s}
        _log.info("draining: the process ends once its requests are done", extra={"fields": fields})


class CloseWhileDraining:
    """Middleware: ends each connection with its next answer, so that its client opens another elsewhere."""

    def __init__(self, app: ASGIApp, *, draining: Draining) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and self._draining.begun:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_close)
