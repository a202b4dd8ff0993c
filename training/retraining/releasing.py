"""The next version, and putting it in place: whole or not at all."""

import datetime
import os
import re
from pathlib import Path
from typing import Any

from models import Bundle, CivilityModel, StanceModel, list_bundles, save_bundle
from training.errors import TrainingError

__all__ = ["next_version", "publish"]

_DATED = re.compile(r"(\d{4})\.(\d{1,2})\.(\d+)")
_CARD = "model-card.md"


def next_version(releases: Path, champion: str, today: datetime.date) -> str:
    """Return YEAR.MONTH.NUMBER, newer than the champion and every dated version under `releases`."""
    names = [champion, *(path.name for path in list_bundles(releases))]
    dated = [tuple(map(int, found.groups())) for name in names if (found := _DATED.fullmatch(name))]
    newest = max(dated, default=(0, 0, 0))
    year, month, number = max((today.year, today.month, 0), (newest[0], newest[1], newest[2] + 1))
    return f"{year}.{month}.{number}"


def publish(
    releases: Path,
    scratch: Path,
    version: str,
    models: tuple[CivilityModel, StanceModel],
    *,
    champion: Bundle,
    recipe: dict[str, Any],
    training_data: list[dict[str, Any]],
    metrics: dict[str, Any],
    documents: dict[str, str],
) -> Path:
    """Write the release in scratch, then give it its place in one step; return its folder.

    Raises:
        TrainingError: a release of that version exists.
    """
    card = champion.path / _CARD
    if _CARD in champion.manifest.files:
        opening = (
            f"> {version} was retrained from {champion.version}, whose card this is: its figures are of "
            f"{champion.version}. What changed stands in retraining.md.\n\n"
        )
        documents = documents | {_CARD: opening + card.read_text(encoding="utf-8")}
    save_bundle(
        scratch / version,
        *models,
        version=version,
        documents=documents,
        languages=champion.manifest.languages,
        training_data=training_data,
        recipe=recipe,
        metrics=metrics,
    )
    target = releases / version
    if target.exists():
        raise TrainingError(f"{target} exists: a bundle is never overwritten")
    os.rename(scratch / version, target)
    return target
