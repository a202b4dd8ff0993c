"""Build a bundle: read, split, train, judge on held-out rows, and save with all of that written down."""

import datetime
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from data import CivilityRow, Splits, StanceRow, load_plan, read_civility
from data.checks import CONTRAST_SOURCE
from data.denials import DENIAL_SOURCE
from data.identities import IDENTITY_SOURCE
from data.openers import load_openers
from data.published import PUBLISHED_SOURCE
from data.written import DIRECT_SOURCE, PLAIN_SOURCE, WRITTEN_SOURCE
from models import Bundle, CivilityModel, Manifest, StanceModel, load_bundle, save_bundle
from models.bundle import check_version
from models.drift import DRIFT_REFERENCE
from models.encoder import PairEncoder, TextEncoder
from training.civility import judge_civility, train_civility
from training.civility_encoder import BROAD, CONTRASTS, encoder_course, fine_tune_texts
from training.civility_sets import CIVILITY_SOURCES, civility_splits
from training.confusion import civility_confusion, stance_confusion
from training.drift import drift_reference
from training.encoder import BROAD as BROAD_LESSON
from training.encoder import READERS_BLEND, READERS_LESSON
from training.errors import TrainingError
from training.evaluate import CARD, METRICS, evaluate, metrics_json
from training.finetuning import FineTuning, require_extra
from training.judged import Variant, variants_of
from training.languages import LANGUAGE_SOURCES, train_languages
from training.model_card import card_for_bundle
from training.provenance import describe_own, describe_sets, merged
from training.stance import (
    judge_stance,
    judge_threads,
    stance_splits,
    threads_by_side,
    train_encoder,
    train_head,
    train_reply_heads,
)
from training.stance_report import remembering

__all__ = ["FROM_BASE", "Order", "Progress", "build"]

Task = Literal["civility", "stance"]
EncoderSource = Literal["fine-tune", "further", "keep", "none"]
FROM_BASE = frozenset[EncoderSource]({"further", "keep"})
"""Where the encoders come from the base bundle."""

Progress = Callable[[str, int, int], None]
_log = logging.getLogger("counterpoint.training")


@dataclass(frozen=True, slots=True)
class Order:
    """What to build.

    Attributes:
        data_dir: folder of the datasets.
        output: folder of the new bundle; its name is the version; it must not exist.
        only: train one model and take the other, with its figures, from `base`.
        base: an existing bundle; needed with `only`, and with `encoder` "further" and "keep".
        encoder: "fine-tune" trains the encoder of each model (the extra `train`; about an hour each on two
            cores), "further" teaches those of `base` the second stage alone (a third of that), "keep" takes
            them as they are, "none" does without: civility is then the fast stage alone, and stance hardly
            better than chance.
        fine_tuning: hyper-parameters of the stance encoder's two stages.
        civility_fine_tuning: hyper-parameters of the civility encoder's two stages.
        n_bits: logarithm of the number of hashed columns of the civility model.
        scratch: folder for checkpoints of the encoders.
        trusted_keys: one of these must have signed `base`; None asks for no signature.
    """

    data_dir: Path
    output: Path
    only: Task | None = None
    base: Path | None = None
    encoder: EncoderSource = "fine-tune"
    fine_tuning: tuple[FineTuning, FineTuning] = (BROAD_LESSON, READERS_LESSON)
    civility_fine_tuning: tuple[FineTuning, FineTuning] = (BROAD, CONTRASTS)
    n_bits: int = 19
    scratch: Path = Path("runs")
    trusted_keys: Sequence[str] | None = None


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
        trained["civility"] = _civility(order, base, progress)
    if order.only != "civility":
        trained["stance"] = _stance(order, base, progress)
    recipe: dict[str, Any] = {
        "seed": plan.seed,
        "split": {"train": plan.train, "calibration": plan.calibration, "test": plan.test},
        "reported_on": "test",
        "trained": sorted(trained),
        "encoder": order.encoder,
        "fine_tuning": [asdict(settings) for settings in order.fine_tuning],
        "civility_fine_tuning": [asdict(settings) for settings in order.civility_fine_tuning],
        "civility_weights": CIVILITY_SOURCES,
        "n_bits": order.n_bits,
        "began": began.isoformat(timespec="seconds"),
    }
    if order.encoder in {"fine-tune", "further"}:
        recipe["readers_blend"] = READERS_BLEND
    models: dict[str, Any] = {task: one.model for task, one in trained.items()}
    metrics = {task: one.metrics for task, one in trained.items()}
    for one in trained.values():
        metrics |= one.more_metrics
    training_data = [entry for one in trained.values() for entry in one.data]
    if base is not None:
        models = {"civility": base.civility, "stance": base.stance} | models
        metrics = dict(base.manifest.metrics) | metrics
        training_data = merged(base.manifest.training_data, training_data)
        recipe["base"] = {"version": base.version, "recipe": base.manifest.recipe}
    described: dict[str, Any] = {
        "languages": sorted(models["civility"].languages),
        "training_data": training_data,
        "recipe": recipe,
        "metrics": metrics,
    }
    draft = Manifest(order.output.name, recipe["began"], files={}, libraries={}, **described)
    # The report is on the models that were judged for the manifest: what they read, they remember.
    judged = models | {task: one.judged for task, one in trained.items()}
    unsaved = Bundle(order.output, draft, judged["civility"], judged["stance"])
    variants = trained["civility"].variants if "civility" in trained else None
    documents = _judged_documents(unsaved, variants, order.data_dir, progress)
    progress("save", 0, 1)
    manifest = save_bundle(
        order.output,
        models["civility"],
        models["stance"],
        version=order.output.name,
        documents=documents,
        **described,
    )
    progress("save", 1, 1)
    return manifest


@dataclass(frozen=True, slots=True)
class _Trained:
    """A model, the same for judging, and what is known of it; `variants` remember what they scored."""

    model: CivilityModel | StanceModel
    judged: Any
    metrics: dict[str, Any]
    data: list[dict[str, Any]]
    more_metrics: dict[str, Any] = field(default_factory=dict)
    variants: list[Variant] = field(default_factory=list)


def _judged_documents(
    bundle: Bundle, variants: list[Variant] | None, data_dir: Path, progress: Progress
) -> dict[str, str]:
    metrics = evaluate(
        bundle,
        data_dir,
        variants=variants,
        progress=lambda section, done, total: progress(f"judge: {section}", done, total),
    )
    return {METRICS: metrics_json(metrics), CARD: card_for_bundle(bundle.manifest, metrics)}


def _checked(order: Order) -> Bundle | None:
    """Refuse now what would fail after an hour of training."""
    check_version(order.output.name)
    if order.output.exists():
        raise TrainingError(f"{order.output} exists: a bundle is never overwritten")
    goes_on = order.encoder in FROM_BASE
    if order.base is None and (order.only or goes_on):
        raise TrainingError("training one model only, or going on with the encoder, needs a base bundle")
    if order.encoder in {"fine-tune", "further"}:
        require_extra()
    if order.base is None:
        return None
    base = load_bundle(order.base, order.trusted_keys)
    if goes_on:
        _check_kept_encoders(base, order.only)
    return base


def _check_kept_encoders(base: Bundle, only: Task | None) -> None:
    """A kept encoder must not have been trained on what is now held out."""
    if only != "civility" and base.stance.encoder is None:
        raise TrainingError(f"{base.path} has no pair encoder to keep")
    if only != "stance" and base.civility.encoder is None:
        raise TrainingError(f"{base.path} has no text encoder to keep")
    plan, then = load_plan(), base.manifest.recipe
    split = {"train": plan.train, "calibration": plan.calibration, "test": plan.test}
    if then.get("seed") != plan.seed or then.get("split") != split:
        raise TrainingError(f"the encoders of {base.path} were trained on another split: fine-tune them anew")


def _civility(order: Order, base: Bundle | None, progress: Progress) -> _Trained:
    progress("civility: read and split", 0, 1)
    splits: Splits[CivilityRow] = civility_splits(order.data_dir)
    progress("civility: read and split", 1, 1)
    _log.info("civility: %s", _sizes(splits))
    encoder = _text_encoder(order, base, splits, progress)
    progress("civility: train and calibrate", 0, 1)
    model = train_civility(splits, encoder, n_bits=order.n_bits)
    progress("civility: train and calibrate", 1, 1)
    progress("civility: other languages", 0, 1)
    model.others_ = train_languages(order.data_dir)
    progress("civility: other languages", 1, 1)
    progress("civility: judge", 0, 1)
    variants = variants_of(model)
    as_served = variants[-1]
    metrics = {
        "split": "test",
        "sizes": _sizes(splits),
        "sources": judge_civility(as_served, splits.test),
        "confusion": civility_confusion(as_served, splits.test),
    }
    progress("civility: judge", 1, 1)
    rows = [*splits.train, *splits.calibration, *splits.test]
    spoken = [LANGUAGE_SOURCES[language] for language in model.others_]
    foreign = read_civility(order.data_dir, spoken) if spoken else []
    data = [
        *describe_sets("civility", CIVILITY_SOURCES, rows, order.data_dir),
        *describe_sets("civility", spoken, foreign, order.data_dir),
    ]
    own = {"identities": IDENTITY_SOURCE, "denials": DENIAL_SOURCE, "contrasts": CONTRAST_SOURCE}
    data += [describe_own(name, sum(row.source == source for row in rows)) for name, source in own.items()]
    languages = Counter(row.language for row in (*splits.train, *foreign))
    reference = drift_reference(as_served, splits.calibration, languages)
    return _Trained(model, model, metrics, data, {DRIFT_REFERENCE: reference.to_dict()}, variants)


def _text_encoder(
    order: Order, base: Bundle | None, splits: Splits[CivilityRow], progress: Progress
) -> TextEncoder | None:
    kept: TextEncoder | None = base.civility.encoder if base and order.encoder in FROM_BASE else None
    if order.encoder in {"keep", "none"}:
        return kept
    course = encoder_course(splits.train, *order.civility_fine_tuning, further=kept is not None)
    step = _fine_tuning_progress("civility", progress)
    start = None if kept is None else kept.onnx
    return fine_tune_texts(course, scratch=order.scratch, start=start, progress=step)


def _fine_tuning_progress(task: str, progress: Progress) -> Callable[[int, int, float], None]:
    def step(done: int, total: int, loss: float) -> None:
        progress(f"{task}: fine-tune the encoder (loss {loss:.3f})", done, total)

    return step


def _stance(order: Order, base: Bundle | None, progress: Progress) -> _Trained:
    progress("stance: read and split", 0, 1)
    splits: Splits[StanceRow] = stance_splits(order.data_dir)
    progress("stance: read and split", 1, 1)
    _log.info("stance: %s", _sizes(splits))
    encoder = _pair_encoder(order, base, splits, progress)
    seed = load_plan().seed
    threads = threads_by_side()
    progress("stance: fit the head", 0, 1)
    model = train_head(splits.calibration, encoder, seed)
    train_reply_heads(model, splits.calibration, [*threads["train"], *threads["calibration"]], seed)
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
    judged = remembering(model)
    variants = {"words_only": model if encoder is None else train_head(splits.calibration, None, seed)}
    if encoder is not None:
        variants["with_encoder"] = judged
    for done, (variant, one) in enumerate(variants.items(), 1):
        metrics[variant] = judge_stance(one, splits.test, seed)
        progress("stance: judge", done, len(variants))
    metrics["threads"] = judge_threads(judged, threads["test"])
    metrics["confusion"] = stance_confusion(judged, splits.test)
    rows = [*splits.train, *splits.calibration, *splits.test]
    sources = {row.source for row in rows}
    own = sum(len(texts) for part in ("train", "head") for texts in load_openers(part).values())
    data = describe_sets("stance", sources, rows, order.data_dir)
    published = sum(row.source == PUBLISHED_SOURCE for row in rows)
    written = sum(row.source in {DIRECT_SOURCE, PLAIN_SOURCE, WRITTEN_SOURCE} for row in rows)
    written += sum(len(thread.comments) for side in threads.values() for thread in side)
    data += [
        describe_own("openers", own),
        describe_own("published-comments", published),
        describe_own("written-comments", written),
    ]
    return _Trained(model, judged, metrics, data)


def _pair_encoder(
    order: Order, base: Bundle | None, splits: Splits[StanceRow], progress: Progress
) -> PairEncoder | None:
    kept: PairEncoder | None = base.stance.encoder if base and order.encoder in FROM_BASE else None
    if order.encoder in {"keep", "none"}:
        return kept
    step = _fine_tuning_progress("stance", progress)
    start = None if kept is None else kept.onnx
    return train_encoder(splits.train, *order.fine_tuning, scratch=order.scratch, start=start, progress=step)


def _sizes(splits: Splits[Any]) -> dict[str, int]:
    return {side: len(getattr(splits, side)) for side in ("train", "calibration", "test")}
