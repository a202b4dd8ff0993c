"""What was worked out lately, by the digest of its input: no text is kept."""

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock

import numpy as np
from numpy.typing import NDArray

__all__ = ["Memory", "key_of"]


def key_of(text: str, second: str | None = None) -> bytes:
    """Return what stands for a text, or a pair of texts: 17 bytes."""
    parts = [part.encode("utf-8", "replace") for part in (text, second) if part is not None]
    digest = blake2b(digest_size=16)
    digest.update(len(parts[0]).to_bytes(8, "big"))
    for part in parts:
        digest.update(part)
    return digest.digest() + bytes([len(parts)])


class Memory:
    """The latest `most` results by their keys; safe for use by several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[bytes, NDArray[np.float64]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> NDArray[np.float64] | None:
        """Return what is kept under `key`, which is then the latest; None where nothing is."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: bytes, result: NDArray[np.float64]) -> None:
        """Keep `result`, and let go what was not asked for longest."""
        with self._lock:
            self._found[key] = result
            while len(self._found) > self._most:
                self._found.popitem(last=False)
