"""An output that does not lie on this machine: finished here, in a folder of its own, and sent as a whole."""

import hashlib
import shutil
from pathlib import Path, PurePosixPath

from app.rescore.engines import Engine
from app.rescore.errors import OutputError, RunError
from app.rescore.files import filesystem, reaching
from app.rescore.run import Outcome, Progress, Rescoring, complete_outcome, rescore

__all__ = ["rescore_elsewhere", "staged_output"]


def staged_output(address: str, staging: Path) -> Path:
    """Return where an output is finished before it is sent: the same place for the same address.

    Args:
        address: where it is sent, an address of fsspec.
        staging: a folder on this machine, or one that a cluster shares.
    """
    key = hashlib.sha256(address.encode()).hexdigest()[:16]
    return staging / f"rescore-{key}" / PurePosixPath(address).name


def rescore_elsewhere(asked: Rescoring, address: str, engine: Engine, progress: Progress) -> Outcome:
    """As `rescore`; the output, its rejects and its manifest, sent last, are then at the address.

    Args:
        asked: what is asked for, the output being `staged_output(address, …)`.
        address: where the output is sent.
        engine: what scores.
        progress: told how far each stage is.

    Raises:
        RunError: there is an output of something else at the address, or another process is at the same run.
        ArchiveError, OutputError, PartError: as `rescore`.
    """
    remote = _Remote(address)
    if not (asked.force or asked.restart or asked.folder.exists() or asked.output.exists()):
        complete = remote.complete(asked)
        if complete is not None:
            return complete
    outcome = rescore(asked, engine, progress)
    files = [(asked.rejects, ".rejects.jsonl"), (asked.output, ""), (asked.manifest, ".manifest.json")]
    for done, (path, ending) in enumerate(files):
        progress("sending the output", done, len(files))
        remote.put(path, ending)
    progress("sending the output", len(files), len(files))
    shutil.rmtree(asked.output.parent)
    return outcome


class _Remote:
    def __init__(self, address: str) -> None:
        self._address = address
        self._files, self._path = filesystem(address)

    def complete(self, asked: Rescoring) -> Outcome | None:
        """The outcome of an earlier run for the same; None where there is no output."""
        with reaching(self._address):
            self._files.invalidate_cache()
            if not self._files.exists(self._path):
                return None
            manifest = f"{self._path}.manifest.json"
            told = self._files.cat_file(manifest) if self._files.exists(manifest) else b""
            found = complete_outcome(asked, told, self._files.size(self._path))
        if found is None:
            raise RunError(f"{self._address} exists and is not of this command; --force writes over it")
        return found

    def put(self, path: Path, ending: str) -> None:
        """Send a file; where there is none, what an earlier run left there goes."""
        target = self._path + ending
        try:
            if not self._files.async_impl:  # object stores have no folders to be made
                self._files.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
            if path.exists():
                self._files.put_file(str(path), target)
            elif self._files.exists(target):
                self._files.rm_file(target)
        except Exception as error:  # each file system has errors of its own
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise OutputError(
                f"{self._address}{ending} cannot be written: {reason}; the same command sends it again"
            ) from error
