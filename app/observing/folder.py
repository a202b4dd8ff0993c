"""The folder of observations: one file of counts a worker, each written whole."""

import logging
import os
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from app.observing.counts import Observations, added

__all__ = ["ObservationFolder", "read_observations"]

_log = logging.getLogger("counterpoint.observing")
_DAY_S = 86_400.0


class ObservationFolder:
    """Where this worker writes and where it reads what the others wrote. Its methods are blocking.

    Args:
        path: the folder, made when it is first written to; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._own = f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
        self._known: dict[str, tuple[tuple[int, int], Observations]] = {}
        self._failed = False

    def write(self, own: Observations) -> None:
        """Keep the counts of this worker; a folder that cannot be written is told once, in the log."""
        if self.path is None:
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle, scratch = tempfile.mkstemp(dir=self.path, prefix=".")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(own.model_dump_json())
                os.chmod(scratch, 0o644)
                os.replace(scratch, self.path / self._own)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(scratch)
                raise
        except OSError as error:
            if not self._failed:
                _log.warning("observations cannot be written to %s: %s", self.path, error.strerror)
            self._failed = True
        else:
            self._failed = False

    def others(self, newer_than_s: float) -> list[Observations]:
        """Return what the other workers wrote, as far as it was written in the last so many seconds."""
        if self.path is None:
            return []
        found: dict[str, tuple[tuple[int, int], Observations]] = {}
        for file in sorted(self.path.glob("*.json")):
            with suppress(FileNotFoundError):
                stat = file.stat()
                if file.name == self._own or stat.st_mtime < time.time() - newer_than_s:
                    continue
                stamp = stat.st_mtime_ns, stat.st_ino
                known = self._known.get(file.name)
                if known is not None and known[0] == stamp:
                    found[file.name] = known
                elif (read := _read(file)) is not None:
                    found[file.name] = stamp, read
        self._known = found
        return [counts for _, counts in found.values()]

    def forget(self, days: int) -> None:
        """Delete the files in which nothing was written for so many days."""
        if self.path is None:
            return
        for file in self.path.glob("*.json"):
            with suppress(OSError):
                if file.stat().st_mtime < time.time() - days * _DAY_S:
                    file.unlink()


def read_observations(folder: Path) -> Observations:
    """Return the sum of everything that is in a folder; none of it where there is no folder."""
    files = (_read(file) for file in sorted(folder.glob("*.json")))
    return added(one for one in files if one is not None)


def _read(file: Path) -> Observations | None:
    try:
        return Observations.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        _log.warning("%s is left out of the observations: %s", file, type(error).__name__)
        return None
