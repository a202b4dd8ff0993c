"""A proxy for clients that know one host only: it answers as that host, from a service on loopback.

It speaks CONNECT, as every HTTPS proxy does, shows a certificate of the test's own authority, and passes
the decrypted bytes on.
"""

import select
import socket
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.background import in_background

__all__ = ["Proxy", "intercepting_proxy"]

_PATIENCE_S = 60
_CHUNK = 65_536


@dataclass(frozen=True)
class Proxy:
    url: str
    asked: list[str] = field(default_factory=list)
    """Each `host:port` that a client wanted to reach, in order."""


@contextmanager
def intercepting_proxy(service: tuple[str, int], certificate: Path, key: Path) -> Iterator[Proxy]:
    """Run the proxy as long as the context lasts.

    Args:
        service: host and port of the plain HTTP service that answers in place of every host.
        certificate: PEM file that names the hosts.
        key: PEM file of its private key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(socketserver.StreamRequestHandler):
        timeout = _PATIENCE_S

        def handle(self) -> None:
            method, target, _ = self.rfile.readline().decode("latin-1").split()
            while self.rfile.readline() not in {b"\r\n", b"\n", b""}:
                pass
            if method != "CONNECT":
                self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                return
            proxy.asked.append(target)
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with (
                context.wrap_socket(self.connection, server_side=True) as client,
                socket.create_connection(service, timeout=_PATIENCE_S) as upstream,
            ):
                _relay(client, upstream)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    with in_background(server):
        yield proxy


def _relay(client: ssl.SSLSocket, upstream: socket.socket) -> None:
    """Pass bytes on, both ways, until one side closes."""
    other: dict[socket.socket, socket.socket] = {client: upstream, upstream: client}
    while True:
        # What TLS has decrypted already is seen by no select.
        readable = [client] if client.pending() else select.select(list(other), [], [], _PATIENCE_S)[0]
        if not readable:
            return
        for side in readable:
            try:
                data = side.recv(_CHUNK)
            except (ssl.SSLError, ConnectionError):
                return
            if not data:
                return
            other[side].sendall(data)
