"""Servers of the standard library that serve beside a test."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["in_background"]


@contextmanager
def in_background(server: socketserver.BaseServer) -> Iterator[None]:
    """Let `server` answer in a thread for as long as the context lasts, and close it then."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
