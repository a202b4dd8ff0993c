"""Workers that listen on one socket share its connections.

An event loop takes all connections that wait as soon as it wakes. With several workers the first to wake gets
everything that a proxy or a batch client opens at once, and the others look on. Here a worker takes one
connection and then rests, the longer the more it has, so that the others come first.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

try:
    from uvloop import Loop
except ImportError:  # where uvloop is not built
    from asyncio import SelectorEventLoop as Loop  # type: ignore[assignment]

__all__ = ["SharingLoop"]

_log = logging.getLogger("counterpoint.service")
_REST_A_CONNECTION_S = 0.0002
_LONGEST_REST_S = 0.005
_REST_AFTER_ERROR_S = 0.1


class SharingLoop(Loop):
    """An event loop whose servers on a given socket take one connection a turn."""

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.Protocol], *args: Any, sock: Any = None, **more: Any
    ) -> Any:
        """Serve on `sock` as described above; without one, as every loop does."""
        if sock is None or more.get("ssl") is not None:
            return await super().create_server(protocol_factory, *args, sock=sock, **more)
        return _Acceptor(self, protocol_factory, sock, more.get("backlog", 100))


class _Acceptor:
    """What `create_server` returns, as far as uvicorn uses it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol_factory: Callable[[], asyncio.Protocol],
        sock: socket.socket,
        backlog: int,
    ) -> None:
        self.sockets = [sock]
        self._loop, self._protocol_factory, self._socket = loop, protocol_factory, sock
        self._beginning = set[asyncio.Task[Any]]()
        self._open = set[asyncio.Transport]()
        self._closed = False
        sock.setblocking(False)
        sock.listen(backlog)
        self._listen()

    def close(self) -> None:
        """Take no further connection."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket)

    async def wait_closed(self) -> None:
        """Wait for the connections that have been taken and have not begun."""
        await asyncio.gather(*self._beginning, return_exceptions=True)

    def _listen(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the caller has gone
        except OSError as error:  # no more descriptors, say
            _log.error("no connection can be taken now: %s", type(error).__name__)
            self._rest(_REST_AFTER_ERROR_S)
            return
        connection.setblocking(False)
        beginning = self._loop.create_task(self._begin(connection))
        self._beginning.add(beginning)
        beginning.add_done_callback(self._beginning.discard)
        self._open = {one for one in self._open if not one.is_closing()}
        self._rest(min(_LONGEST_REST_S, _REST_A_CONNECTION_S * (1 + len(self._open))))

    async def _begin(self, connection: socket.socket) -> None:
        try:
            transport, _ = await self._loop.connect_accepted_socket(self._protocol_factory, connection)
        except OSError:  # the caller has gone
            connection.close()
        else:
            self._open.add(transport)

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.call_later(seconds, self._listen)
