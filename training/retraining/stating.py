"""What a retrained release states of itself in its manifest, under `metrics`."""

from pathlib import Path
from typing import Any

from models import CivilityModel, StanceModel
from models.drift import DRIFT_REFERENCE
from training.civility_sets import civility_splits
from training.confusion import civility_confusion, stance_confusion
from training.drift import drift_reference
from training.stance import stance_splits

__all__ = ["civility_metrics", "stance_metrics_of"]

_FIGURES = ("n", "positives", "ece", "roc_auc", "average_precision")
_MEASURED_ON = "measured_on"


def civility_metrics(
    champion: dict[str, Any],
    version: str,
    model: CivilityModel,
    judged: dict[str, Any],
    data_dir: Path | None,
) -> dict[str, Any]:
    """Return the civility figures and the reference of drift.

    Args:
        champion: the champion's metrics, which stand where there are no datasets; `measured_on` says so.
        version: the champion's.
        model: the challenger.
        judged: what was measured of it, as `judge_civility_model` returns it.
        data_dir: folder of the datasets.
    """
    if data_dir is None:
        return {"civility": champion.get("civility", {}) | {_MEASURED_ON: version}}
    splits = civility_splits(data_dir)
    sources = {
        source: {name: {key: one[key] for key in _FIGURES if key in one} for name, one in of_source.items()}
        for source, of_source in judged["held_out"].items()
    }
    sizes = {side: len(getattr(splits, side)) for side in ("train", "calibration", "test")}
    confusion = civility_confusion(model.predict_proba, splits.test)
    known = champion.get(DRIFT_REFERENCE, {}).get("languages")
    reference = drift_reference(model.predict_proba, splits.calibration, known)
    return {
        "civility": {"split": "test", "sizes": sizes, "sources": sources, "confusion": confusion},
        DRIFT_REFERENCE: reference.to_dict(),
    }


def stance_metrics_of(
    champion: dict[str, Any], version: str, model: StanceModel, judged: dict[str, Any], data_dir: Path | None
) -> dict[str, Any]:
    """Return the stance figures, the champion's where not measured; arguments as for `civility_metrics`."""
    kept = champion.get("stance", {})
    if data_dir is None:
        return {"stance": kept | {_MEASURED_ON: version}}
    variant = "with_encoder" if model.encoder is not None else "words_only"
    confusion = stance_confusion(model, stance_splits(data_dir).test)
    return {"stance": kept | {"split": "test", variant: judged, "confusion": confusion}}
