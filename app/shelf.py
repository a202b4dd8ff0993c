"""The bundles at hand, and the one in use, which can be changed while the service runs."""

import ctypes
import gc
import logging
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from app.encoders import let_go
from app.errors import ActiveFileError, ConflictError, NotFoundError
from app.language import LanguageTeller
from app.releases.active import active_file_of
from app.schemas import ModelInfo, ModelList
from app.scorer import Scorer
from app.settings import Settings
from models import Manifest, list_bundles, load_bundle, verify_bundle
from models.errors import BundleError, BundleNotFoundError

__all__ = ["ModelShelf", "return_freed_memory"]

_log = logging.getLogger("counterpoint.models")
_SWITCH_S = 0.0005
_NICENESS = 10
_Stamp = tuple[tuple[str, int, int], ...]  # name, time of change and size of each file


class ModelShelf:
    """Holds the scorer in use. Reading `scorer` is atomic; its methods are blocking and thread-safe.

    Attributes:
        scorer: what scores.
        problem: why what was activated is not in use, for the operator; None where it is.

    Raises:
        BundleError: the bundle to start with is missing or cannot be trusted.
        NotFoundError: the settings name a version that is not at hand.
        ActiveFileError: the active file cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._teller = LanguageTeller(settings)
        self._active = active_file_of(settings.releases, settings.active_file)
        self._lock = threading.Lock()
        # Always the same thread: each that loads would keep the memory that a bundle had taken.
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="loader", initializer=_be_nice)
        self._verified: dict[Path, tuple[_Stamp, Manifest]] = {}
        self._refused: tuple[str, _Stamp | None] | None = None
        self.problem: str | None = None
        self.scorer = self._first()
        return_freed_memory()
        self._announce()

    def activate(self, version: str) -> ModelInfo:
        """Load another version and put it to use, here and in every worker that follows the active file.

        The one in use serves until then, and if this fails.

        Raises:
            NotFoundError: there is no such version.
            ConflictError: the settings fix the version.
            BundleError: it cannot be loaded.
            ActiveFileError: the activation cannot be written down.
        """
        self._check_not_fixed()
        with self._lock, self._active.change() as change:
            scorer = self.opened(version)
            change.activate(version, self.scorer.version)
            return self._use(scorer)

    def roll_back(self) -> ModelInfo:
        """Put the version that was active before to use again, as `activate` does.

        Raises:
            ConflictError: there is none, or the settings fix the version.
            NotFoundError: it is not at hand any more.
            BundleError: it cannot be loaded.
            ActiveFileError: the rollback cannot be written down.
        """
        self._check_not_fixed()
        with self._lock, self._active.change() as change:
            scorer = self.opened(change.rollback_target)
            change.roll_back()
            return self._use(scorer)

    def follow(self) -> None:
        """Put to use what another process has activated; a bundle that fails leaves the one in use."""
        if self._settings.bundle_version is not None:
            return
        with self._lock:
            try:
                history = self._active.read()
            except ActiveFileError as error:
                self._complain("the active file cannot be read", error)
                return
            if history is None or history.active == self.scorer.version:
                self._settle()
            else:
                self._follow_to(history.active)

    def opened(self, version: str) -> Scorer:
        """Return a scorer of one version: the one in use, or one that is loaded now.

        Raises:
            NotFoundError: there is no such version.
            BundleError: it cannot be loaded.
        """
        if version == self.scorer.version:
            return self.scorer
        return self._open(self._find(version))

    def list(self) -> ModelList:
        """Return every bundle that can be trusted."""
        active = self.scorer
        infos = [_info(manifest, active) for manifest in self._trusted()]
        return ModelList(active=active.version, models=infos)

    def describe(self, version: str) -> ModelInfo:
        """Return one version.

        Raises:
            NotFoundError: there is no such version.
            BundleError: it cannot be trusted.
        """
        return _info(self._verify(self._find(version)), self.scorer)

    def _first(self) -> Scorer:
        """Return the scorer to start with: what was activated last and can be loaded, else the newest."""
        fixed = self._settings.bundle_version
        if fixed is not None:
            return self._open(self._find(fixed))
        history = self._active.read()
        if history is None:
            return self._open(self._newest())
        failures: list[Exception] = []
        for version in history.versions:
            try:
                scorer = self._open(self._find(version))
            except (NotFoundError, BundleError) as error:
                _log.error("version %s cannot be used: %s", version, error)
                failures.append(error)
                continue
            if failures:
                self.scorer = scorer
                self._refuse(history.active, failures[0])
            return scorer
        raise BundleNotFoundError(
            f"none of the versions that {self._active.path} names can be used: {failures[0]}"
        )

    def _newest(self) -> Path:
        # The challenger is there to be compared, and must not become the champion by a restart.
        found = list_bundles(self._settings.releases)
        others = [path for path in found if path.name != self._settings.challenger]
        if not others:
            raise BundleNotFoundError(
                f"no bundle under {self._settings.releases}: train one with `counterpoint train`"
            )
        return others[-1]

    def _follow_to(self, version: str) -> None:
        if self._refused == (version, self._stamp_of_version(version)):
            return
        try:
            scorer = self._open(self._find(version))
        except (NotFoundError, BundleError) as error:
            self._refuse(version, error)
        else:
            self._use(scorer)

    def _use(self, scorer: Scorer) -> ModelInfo:
        self.scorer = scorer
        self._settle()
        self._announce()
        return _info(scorer.bundle.manifest, scorer)

    def _announce(self) -> None:
        _log.info("model %s is in use", self.scorer.version)

    def _settle(self) -> None:
        self._refused = self.problem = None

    def _refuse(self, version: str, error: Exception) -> None:
        # The stamp tells when it is worth trying again: when the bundle's files have changed.
        self._refused = version, self._stamp_of_version(version)
        self._complain(f"{version} is refused ({type(error).__name__})", error)

    def _complain(self, what: str, error: Exception) -> None:
        told, self.problem = self.problem, f"{what}; {self.scorer.version} goes on serving; the log says why"
        if told != self.problem:
            _log.error("%s; model %s goes on serving: %s", what, self.scorer.version, error)

    def _stamp_of_version(self, version: str) -> _Stamp | None:
        try:
            return _stamp_of(self._find(version))
        except (NotFoundError, OSError):
            return None

    def _check_not_fixed(self) -> None:
        if self._settings.bundle_version is not None:
            raise ConflictError("COUNTERPOINT_BUNDLE_VERSION fixes the version of this service.")

    def _find(self, version: str) -> Path:
        for path in list_bundles(self._settings.releases):
            if path.name == version:
                return path
        raise NotFoundError("There is no model of this version; GET /v1/models lists them.")

    def _trusted(self) -> Iterator[Manifest]:
        for path in list_bundles(self._settings.releases):
            try:
                yield self._verify(path)
            except BundleError as error:
                _log.warning("a bundle is left out: %s", error)

    def _verify(self, path: Path) -> Manifest:
        stamp = _stamp_of(path)
        known = self._verified.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        manifest = verify_bundle(path, self._settings.trusted_keys)
        self._verified[path] = stamp, manifest
        return manifest

    def _open(self, path: Path) -> Scorer:
        return self._loader.submit(self._load, path).result()

    def _load(self, path: Path) -> Scorer:
        with _giving_way():
            scorer = Scorer(load_bundle(path, self._settings.trusted_keys), self._settings, self._teller)
            let_go(scorer.bundle)
            return scorer


def _be_nice() -> None:
    """Let the threads that answer go first; only Linux has priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let the thread that scores have the interpreter within half a millisecond, not only within five.

    It asks for it many times a comment, and each time would wait for the thread that loads. The garbage
    collector waits until a bundle is loaded and then leaves it out for good: going through all of it stops
    every thread for a tenth of a second, and would happen several times a second under load. What is given
    up later is still freed, since nothing in a bundle refers back to it.
    """
    usual, collected = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_SWITCH_S)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collected:
            gc.enable()
        sys.setswitchinterval(usual)


def return_freed_memory() -> None:
    """Return to the system what loading has freed: glibc would keep it, 300 MB of a process of 780."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _stamp_of(bundle: Path) -> _Stamp:
    try:
        stats = {str(file): file.stat(follow_symlinks=False) for file in bundle.rglob("*")}
    except FileNotFoundError as error:
        raise BundleNotFoundError(f"{bundle} went away while it was looked at") from error
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats.items()))


def _info(manifest: Manifest, active: Scorer) -> ModelInfo:
    return ModelInfo(
        version=manifest.version,
        active=manifest.version == active.version,
        created=manifest.created,
        languages=manifest.languages,
        metrics=manifest.metrics,
    )
