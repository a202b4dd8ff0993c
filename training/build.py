"""Build a bundle: read, split, train, judge on held-out rows, and save with all of that written down."""

import datetime
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from data import CivilityRow, Splits, StanceRow, load_plan
from data.identities import IDENTITY_SOURCE
from data.openers import load_openers
from models import Bundle, CivilityModel, Manifest, StanceModel, load_bundle, save_bundle
from models.bundle import check_version
from models.encoder import PairEncoder
from training.civility import CIVILITY_SOURCES, civility_splits, judge_civility, train_civility
from training.encoder import FineTuning, require_extra
from training.errors import TrainingError
from training.provenance import describe_own, describe_sets, merged
from training.stance import judge_stance, stance_splits, train_encoder, train_head

__all__ = ["Order", "Progress", "build"]

Task = Literal["civility", "stance"]
EncoderSource = Literal["fine-tune", "keep", "none"]
Progress = Callable[[str, int, int], None]
_log = logging.getLogger("counterpoint.training")


@dataclass(frozen=True, slots=True)
class Order:
    """What to build.

    Attributes:
        data_dir: folder of the datasets.
        output: folder of the new bundle; its name is the version; it must not exist.
        only: train one model and take the other, with its figures, from `base`.
        base: an existing bundle; needed with `only`, and with `encoder` "keep".
        encoder: "fine-tune" trains the pair encoder (the extra `train`; about an hour on two cores),
            "keep" takes the one of `base`, "none" does without: stance is then hardly better than chance.
        fine_tuning: hyper-parameters of the encoder.
        n_bits: logarithm of the number of hashed columns of the civility model.
        scratch: folder for checkpoints of the encoder.
    """

    data_dir: Path
    output: Path
    only: Task | None = None
    base: Path | None = None
    encoder: EncoderSource = "fine-tune"
    fine_tuning: FineTuning = field(default_factory=FineTuning)
    n_bits: int = 19
    scratch: Path = Path("runs")


def build(order: Order, progress: Progress = lambda stage, done, total: None) -> Manifest:
    """Train what is ordered, judge it on the test split, save the bundle.

    Args:
        order: what to build.
        progress: called with the name of a stage, what is done of it, and its size.

    Returns:
        The manifest of the new bundle.

    Raises:
        TrainingError: the order contradicts itself, or the output exists.
        DataError: a dataset is missing or malformed.
    """
    base = _checked(order)
    plan = load_plan()
    began = datetime.datetime.now(datetime.UTC)
    trained: dict[str, _Trained] = {}
    if order.only != "stance":
        trained["civility"] = _civility(order, progress)
    if order.only != "civility":
        trained["stance"] = _stance(order, base, progress)
    recipe: dict[str, Any] = {
        "seed": plan.seed,
        "split": {"train": plan.train, "calibration": plan.calibration, "test": plan.test},
        "reported_on": "test",
        "trained": sorted(trained),
        "encoder": order.encoder if "stance" in trained else None,
        "fine_tuning": asdict(order.fine_tuning),
        "civility_weights": CIVILITY_SOURCES,
        "n_bits": order.n_bits,
        "began": began.isoformat(timespec="seconds"),
    }
    models: dict[str, Any] = {task: one.model for task, one in trained.items()}
    metrics = {task: one.metrics for task, one in trained.items()}
    training_data = [entry for one in trained.values() for entry in one.data]
    if base is not None:
        models = {"civility": base.civility, "stance": base.stance} | models
        metrics = dict(base.manifest.metrics) | metrics
        training_data = merged(base.manifest.training_data, training_data)
        recipe["base"] = {"version": base.version, "recipe": base.manifest.recipe}
    progress("save", 0, 1)
    manifest = save_bundle(
        order.output,
        models["civility"],
        models["stance"],
        version=order.output.name,
        training_data=training_data,
        recipe=recipe,
        metrics=metrics,
    )
    progress("save", 1, 1)
    return manifest


@dataclass(frozen=True, slots=True)
class _Trained:
    model: CivilityModel | StanceModel
    metrics: dict[str, Any]
    data: list[dict[str, Any]]


def _checked(order: Order) -> Bundle | None:
    """Refuse now what would fail after an hour of training."""
    check_version(order.output.name)
    if order.output.exists():
        raise TrainingError(f"{order.output} exists: a bundle is never overwritten")
    if order.base is None and (order.only or order.encoder == "keep"):
        raise TrainingError("training one model only, or keeping the encoder, needs a base bundle")
    if order.encoder == "fine-tune" and order.only != "civility":
        require_extra()
    if order.base is None:
        return None
    base = load_bundle(order.base)
    if order.encoder == "keep" and order.only != "civility":
        _check_kept_encoder(base)
    return base


def _check_kept_encoder(base: Bundle) -> None:
    """A kept encoder must not have been trained on what is now held out."""
    if base.stance.encoder is None:
        raise TrainingError(f"{base.path} has no pair encoder to keep")
    plan, then = load_plan(), base.manifest.recipe
    split = {"train": plan.train, "calibration": plan.calibration, "test": plan.test}
    if then.get("seed") != plan.seed or then.get("split") != split:
        raise TrainingError(f"the encoder of {base.path} was trained on another split: fine-tune it anew")


def _civility(order: Order, progress: Progress) -> _Trained:
    progress("civility: read and split", 0, 1)
    splits: Splits[CivilityRow] = civility_splits(order.data_dir)
    progress("civility: read and split", 1, 1)
    _log.info("civility: %s", _sizes(splits))
    progress("civility: train", 0, 1)
    model = train_civility(splits, n_bits=order.n_bits)
    progress("civility: train", 1, 1)
    progress("civility: judge", 0, 1)
    metrics = {"split": "test", "sizes": _sizes(splits), "sources": judge_civility(model, splits.test)}
    progress("civility: judge", 1, 1)
    rows = [*splits.train, *splits.calibration, *splits.test]
    own = sum(row.source == IDENTITY_SOURCE for row in rows)
    data = describe_sets("civility", CIVILITY_SOURCES, rows, order.data_dir)
    return _Trained(model, metrics, [*data, describe_own("identities", own)])


def _stance(order: Order, base: Bundle | None, progress: Progress) -> _Trained:
    progress("stance: read and split", 0, 1)
    splits: Splits[StanceRow] = stance_splits(order.data_dir)
    progress("stance: read and split", 1, 1)
    _log.info("stance: %s", _sizes(splits))
    encoder = _encoder(order, base, splits, progress)
    seed = order.fine_tuning.seed
    progress("stance: fit the head", 0, 1)
    model = train_head(splits.calibration, encoder, seed)
    progress("stance: fit the head", 1, 1)
    progress("stance: judge", 0, 1)
    metrics: dict[str, Any] = {
        "split": "test",
        "sizes": _sizes(splits),
        "calibration": {
            "temperature": model.temperature_,
            "floor": model.floor_,
            "precision": model.precision,
        },
    }
    variants = {"words_only": model if encoder is None else train_head(splits.calibration, None, seed)}
    if encoder is not None:
        variants["with_encoder"] = model
    for done, (variant, judged) in enumerate(variants.items(), 1):
        metrics[variant] = judge_stance(judged, splits.test, seed)
        progress("stance: judge", done, len(variants))
    rows = [*splits.train, *splits.calibration, *splits.test]
    sources = {row.source for row in rows}
    own = sum(len(texts) for part in ("train", "head") for texts in load_openers(part).values())
    data = describe_sets("stance", sources, rows, order.data_dir)
    return _Trained(model, metrics, [*data, describe_own("openers", own)])


def _encoder(
    order: Order, base: Bundle | None, splits: Splits[StanceRow], progress: Progress
) -> PairEncoder | None:
    if order.encoder == "none":
        return None
    if order.encoder == "keep":
        return base.stance.encoder if base else None

    def step(done: int, total: int, loss: float) -> None:
        progress(f"stance: fine-tune the encoder (loss {loss:.3f})", done, total)

    return train_encoder(splits.train, order.fine_tuning, scratch=order.scratch, progress=step)


def _sizes(splits: Splits[Any]) -> dict[str, int]:
    return {side: len(getattr(splits, side)) for side in ("train", "calibration", "test")}
