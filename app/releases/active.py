"""The active file: which version was activated last, and those before it, for every worker to follow.

Each change is written whole, under a lock, so that workers, replicas that share the folder and the
command line may all read and write it.
"""

import datetime
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import ActiveFileError, ConflictError

__all__ = ["Activation", "ActiveFile", "History", "active_file_of"]

_NAME = ".active.json"
_MOST_KEPT = 50
_LOCK_S = 120.0


class Activation(BaseModel):
    """A version, and when it was put to use (ISO 8601, UTC); None where that was not by an activation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    at: str | None = None


class History(BaseModel):
    """What the active file holds: activations, oldest first; the last one is in force."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    activations: list[Activation] = Field(min_length=1)

    @property
    def active(self) -> str:
        """The version that is to be in use."""
        return self.activations[-1].version

    @property
    def previous(self) -> str | None:
        """The version that a rollback returns to."""
        return self.activations[-2].version if len(self.activations) > 1 else None

    @property
    def versions(self) -> list[str]:
        """The versions to try when one starts: the active one first, then those before it."""
        return list(dict.fromkeys(one.version for one in reversed(self.activations)))


class ActiveFile:
    """Reads and changes the active file. Its methods are blocking, and safe across processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> History | None:
        """Return what it holds, or None where nothing was activated yet.

        Raises:
            ActiveFileError: it cannot be read, or does not hold what it should.
        """
        try:
            return History.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ActiveFileError(f"{self.path} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise ActiveFileError(
                f"{self.path} is not as `counterpoint models activate` writes it"
            ) from error

    @contextmanager
    def change(self) -> Iterator["_Change"]:
        """Keep other processes from changing the file while a version is checked and then written down.

        Raises:
            ActiveFileError: it cannot be read or locked.
        """
        try:
            with FileLock(f"{self.path}.lock", timeout=_LOCK_S, mode=0o644):
                yield _Change(self, self.read())
        except Timeout:
            raise ActiveFileError(f"{self.path} is being changed by another process") from None
        except OSError as error:
            raise ActiveFileError(
                f"{self.path} cannot be written: {error.strerror} (see COUNTERPOINT_ACTIVE_FILE)"
            ) from error

    def _write(self, history: History) -> None:
        handle, scratch = tempfile.mkstemp(dir=self.path.parent, prefix=f"{self.path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(history.model_dump_json(indent=1).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.chmod(scratch, 0o644)
            os.replace(scratch, self.path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(scratch)
            raise


class _Change:
    """The file while no other process changes it."""

    def __init__(self, file: ActiveFile, history: History | None) -> None:
        self._file = file
        self.history = history

    @property
    def rollback_target(self) -> str:
        """The version before the active one.

        Raises:
            ConflictError: there is none.
        """
        if self.history is None or self.history.previous is None:
            raise ConflictError("There is nothing to roll back to: no other version was active before.")
        return self.history.previous

    def activate(self, version: str, in_use: str | None) -> None:
        """Write down that `version` is active.

        Args:
            version: the version, checked.
            in_use: the version in use until now, to which a rollback returns; counts where the file has none.
        """
        before = self.history.activations if self.history is not None else []
        if not before and in_use is not None and in_use != version:
            before = [Activation(version=in_use)]
        if before and before[-1].version == version:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        kept = [*before, Activation(version=version, at=now)][-_MOST_KEPT:]
        self._file._write(History(activations=kept))

    def roll_back(self) -> None:
        """Write down that the version before the active one is active again.

        Raises:
            ConflictError: there is none.
        """
        if self.rollback_target and self.history is not None:
            self._file._write(History(activations=self.history.activations[:-1]))


def active_file_of(releases: Path, chosen: Path | None) -> ActiveFile:
    """Return the active file of a folder of bundles: the one chosen, or one inside the folder."""
    return ActiveFile(chosen or releases / _NAME)
