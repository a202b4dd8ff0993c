"""What scores in this process: a bundle that each worker loads once."""

import gc
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from app.encoders import let_go
from app.rescore.errors import PartError
from app.rescore.job import Model
from app.schemas import Problem, ScoreAnswer, ScoreRequest
from app.scorer import Scorer
from app.settings import Settings
from models import RELEASES, load_bundle, verify_bundle
from models.manifest import MANIFEST

__all__ = ["InProcess", "load_model", "model_of"]

_SETTINGS = {
    "encoder_share",
    "default_language",
    "language_confidence",
    "language_min_letters",
    "max_text_bytes",
    "max_article_text_bytes",
    "thresholds",
}


class InProcess:
    """Scores with one bundle."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def answer(self, requests: Sequence[ScoreRequest]) -> list[ScoreAnswer | Problem]:
        """Return an answer for each request, in order."""
        return list(self._scorer.score(requests))


def model_of(bundle: Path, settings: Settings) -> Model:
    """Describe a bundle, checked but not loaded, and the settings that an answer depends on.

    Raises:
        BundleError: it cannot be trusted.
    """
    manifest = verify_bundle(bundle)
    told: dict[str, Any] = settings.model_dump(mode="json", include=_SETTINGS)
    return Model(
        version=manifest.version, digest=_digest(bundle), folder=str(bundle.resolve()), settings=told
    )


def load_model(model: Model) -> InProcess:
    """Return the scorer of a bundle, loaded once a process; BLAS gets one thread, for a worker is a core.

    Raises:
        PartError: the bundle is not at hand here, or another one.
        BundleError: it cannot be trusted.
    """
    return _loaded(model.model_dump_json())


@lru_cache(maxsize=1)
def _loaded(described: str) -> InProcess:
    model = Model.model_validate_json(described)
    threadpool_limits(1)
    folder = next(
        (
            path
            for path in (Path(model.folder or ""), RELEASES / model.version)
            if (path / MANIFEST).is_file()
        ),
        None,
    )
    if folder is None or _digest(folder) != model.digest:
        raise PartError(f"the bundle {model.version} of the run is not at hand here, or has other contents")
    scorer = Scorer(load_bundle(folder), Settings(**model.settings))
    let_go(scorer.bundle)
    gc.freeze()  # the models stay: looking through them for garbage again and again takes time
    return InProcess(scorer)


def _digest(bundle: Path) -> str:
    return hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()
