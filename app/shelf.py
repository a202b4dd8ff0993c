"""The bundles at hand, and the one in use, which can be changed while the service runs."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from app.errors import NotFoundError
from app.language import LanguageTeller
from app.schemas import ModelInfo, ModelList
from app.scorer import Scorer
from app.settings import Settings
from models import Manifest, latest_bundle, list_bundles, load_bundle, verify_bundle
from models.errors import BundleError

__all__ = ["ModelShelf"]

_log = logging.getLogger("counterpoint.models")
_Stamp = tuple[tuple[str, int, int], ...]  # name, time of change and size of each file


class ModelShelf:
    """Holds the scorer in use. Reading `scorer` is atomic; its methods are blocking and thread-safe.

    Raises:
        BundleError: the bundle to start with is missing or cannot be trusted.
        NotFoundError: the settings name a version that is not at hand.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._teller = LanguageTeller(settings)
        self._lock = threading.Lock()
        self._verified: dict[Path, tuple[_Stamp, Manifest]] = {}
        wanted = settings.bundle_version
        self.scorer = self._open(latest_bundle(settings.releases) if wanted is None else self._find(wanted))

    def activate(self, version: str) -> ModelInfo:
        """Load another version and put it to use; the one in use serves until then, and if this fails.

        Raises:
            NotFoundError: there is no such version.
            BundleError: it cannot be loaded.
        """
        with self._lock:
            self.scorer = self._open(self._find(version))
            return _info(self.scorer.bundle.manifest, self.scorer)

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
        manifest = verify_bundle(path)
        self._verified[path] = stamp, manifest
        return manifest

    def _open(self, path: Path) -> Scorer:
        scorer = Scorer(load_bundle(path), self._settings, self._teller)
        _log.info("model %s is in use", scorer.version)
        return scorer


def _stamp_of(bundle: Path) -> _Stamp:
    stats = {str(file): file.stat(follow_symlinks=False) for file in bundle.rglob("*")}
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats.items()))


def _info(manifest: Manifest, active: Scorer) -> ModelInfo:
    return ModelInfo(
        version=manifest.version,
        active=manifest.version == active.version,
        created=manifest.created,
        languages=manifest.languages,
        metrics=manifest.metrics,
    )
