"""State anew what a bundle's manifest says of its models' errors, as a new version of the same models."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from data import load_plan
from models import Bundle, Manifest, load_bundle, save_bundle
from models.drift import DRIFT_REFERENCE
from training.civility_sets import civility_splits
from training.confusion import civility_confusion, stance_confusion
from training.drift import drift_reference
from training.evaluate import CARD, check_split
from training.judged import variants_of
from training.stance import stance_splits

__all__ = ["restate"]

_MODELS = (".joblib",)


def restate(
    source: Path,
    output: Path,
    data_dir: Path,
    *,
    trusted_keys: Sequence[str] | None = None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Manifest:
    """Count how often both models err on the test split, and what drift is measured against; save that.

    Nothing is trained: the new bundle's scores are those of `source`. Its other figures and documents are
    taken over.

    Args:
        source: a bundle.
        output: folder of the new one; its name is the version.
        data_dir: folder of the datasets.
        trusted_keys: one of these must have signed `source`; None asks for no signature.
        progress: called with the name of a stage, what is done of it, and its size.

    Raises:
        BundleError: the source cannot be loaded, or the output exists.
        ReportError: a model was trained on another split.
        DataError: a dataset is missing or malformed.
    """
    bundle = load_bundle(source, trusted_keys)
    plan = load_plan()
    for task in ("civility", "stance"):
        check_split(bundle.manifest, plan, task)
    metrics = dict(bundle.manifest.metrics)
    progress("civility", 0, 1)
    splits, as_served = civility_splits(data_dir, plan), variants_of(bundle.civility)[-1]
    metrics["civility"] = metrics.get("civility", {}) | {
        "confusion": civility_confusion(as_served, splits.test)
    }
    languages = metrics.get(DRIFT_REFERENCE, {}).get("languages")
    metrics[DRIFT_REFERENCE] = drift_reference(as_served, splits.calibration, languages).to_dict()
    progress("civility", 1, 1)
    progress("stance", 0, 1)
    confusion = stance_confusion(bundle.stance, stance_splits(data_dir, plan).test)
    metrics["stance"] = metrics.get("stance", {}) | {"confusion": confusion}
    progress("stance", 1, 1)
    return save_bundle(
        output,
        bundle.civility,
        bundle.stance,
        version=output.name,
        documents=_documents(bundle, output.name),
        languages=bundle.manifest.languages,
        training_data=bundle.manifest.training_data,
        recipe=_recipe(bundle.manifest),
        metrics=metrics,
    )


def _documents(bundle: Bundle, version: str) -> dict[str, str]:
    names = [name for name in bundle.manifest.files if not name.endswith(_MODELS)]
    documents = {name: (bundle.path / name).read_text(encoding="utf-8") for name in names}
    if CARD in documents:
        opening = f"> {version} has the models of {bundle.version}, whose card this is.\n\n"
        documents[CARD] = opening + documents[CARD]
    return documents


def _recipe(manifest: Manifest) -> dict[str, Any]:
    recipe: dict[str, Any] = {"trained": [], "restated": ["confusion", DRIFT_REFERENCE]}
    return recipe | {"base": {"version": manifest.version, "recipe": manifest.recipe}}
