"""The retraining job: feedback → guards → challenger → judgement → gates → a release, or none."""

import datetime
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data import SplitPlan, StanceRow, load_plan
from data.feedback import Opinion
from data.written import written_rows
from models import Bundle, Manifest, load_bundle
from training.errors import FeedbackError, TrainingError
from training.judged import Rows
from training.retraining.exclusive import exclusive
from training.retraining.gates import Verdict, civility_gates, feedback_gate, stance_gates
from training.retraining.guards import Reviewed, newest_only, review
from training.retraining.judging import (
    brier_gains,
    civility_texts,
    judge_civility_model,
    judge_stance_model,
    parallel_scores,
    served,
    sharing,
    stance_gains,
)
from training.retraining.learning import (
    civility_anchors,
    continued_civility,
    continued_stance,
    refitted_civility,
    refitted_stance,
    stance_anchors,
)
from training.retraining.lessons import Lesson, Lessons, lessons_of
from training.retraining.paired import civility_chance, stance_chance
from training.retraining.releasing import next_version, publish
from training.retraining.report import markdown, write_report
from training.retraining.settings import RetrainingSettings
from training.retraining.stating import civility_metrics, stance_metrics_of
from training.retraining.workers import workers
from training.stance import stance_splits

__all__ = ["Outcome", "Progress", "RetrainingOrder", "retrain"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class RetrainingOrder:
    """What to retrain, from what, and where it goes.

    Raises:
        TrainingError: all is to be fitted anew, and there are no datasets.

    Attributes:
        champion: folder of the bundle that serves.
        releases: folder that gets the release.
        report: folder of the report; made where it does not exist, its files are written over.
        data_dir: folder of the datasets; None goes without.
        settings: weights, guards, gates.
        without_keys: ids of API keys; what came with these is left out whole.
        refit: whether all around the encoders is fitted anew on datasets and feedback; else the champion
            is continued.
        version: of the release; None for the next one.
        sample: most rows a set on which both are judged; None for all.
        dry_run: whether to judge only.
        plots: whether to draw; needs the extra `report`.
        scheduler: address of a Dask scheduler for the parallel parts.
        jobs: parts that run at the same time where there is no cluster.
        trusted_keys: public keys, one of which must have signed the champion; None asks for no signature.
        observed: what was counted of the champion's traffic, for the report: "drift", an object a day, and
            "shadow", one a challenger, as `counterpoint models drift-report` and `shadow-report` tell them.
        before_publishing: called when all gates are passed and the release is about to appear.
    """

    champion: Path
    releases: Path
    report: Path
    data_dir: Path | None
    settings: RetrainingSettings = field(default_factory=RetrainingSettings.read)
    without_keys: Sequence[str] = ()
    refit: bool = False
    version: str | None = None
    sample: int | None = None
    dry_run: bool = False
    plots: bool = True
    scheduler: str | None = None
    jobs: int = field(default_factory=lambda: min(os.cpu_count() or 1, 8))
    trusted_keys: Sequence[str] | None = None
    observed: Mapping[str, Any] = field(default_factory=dict)
    before_publishing: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        if self.refit and self.data_dir is None:
            raise TrainingError("fitting all anew needs the datasets")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it.

    Attributes:
        version: of the release that was, or would be, published; None where refused.
        folder: where it stands; None where refused, or in a dry run.
        found: every figure, as in `retraining.json`.
    """

    version: str | None
    folder: Path | None
    found: dict[str, Any]


def retrain(
    order: RetrainingOrder,
    opinions: Sequence[Opinion],
    progress: Progress = lambda stage, done, total: None,
) -> Outcome:
    """Learn from opinions, judge champion and challenger, publish or refuse, and report.

    Each model is judged for itself: one that fails its gates stays the champion's.

    Args:
        order: from what, and where it goes.
        opinions: all there are; newest wins.
        progress: called with the name of a stage, what is done of it, and its size.

    Raises:
        FeedbackError: nothing can be learnt from the opinions, or none came with a key to be left out.
        BusyError: another retraining works on the same releases.
        TrainingError: the champion was trained on another split, or the cluster does not answer.
        BundleError: the champion cannot be loaded.
        DataError: a dataset is missing or malformed.
    """
    with exclusive(order.releases) as scratch, workers(order.scheduler):
        champion = load_bundle(order.champion, order.trusted_keys)
        plan = load_plan()
        if order.data_dir is not None:
            _check_split(champion.manifest, plan)
        reviewed = _reviewed(champion, opinions, order, progress)
        lessons = lessons_of(reviewed, plan)
        changed = {
            "civility": _civility(champion, lessons, order, plan, progress),
            "stance": _stance(champion, lessons, order, plan, progress),
        }
        judged = {task: one for task, one in changed.items() if one is not None}
        if not judged:
            raise FeedbackError("no opinion that counts has a label or a stance in English: nothing to learn")
        return _concluded(order, champion, plan, reviewed, lessons, judged, scratch, progress)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A challenger: `model` is saved, `served` the same with what its encoder said remembered."""

    model: Any
    served: Any
    verdict: Verdict
    figures: dict[str, Any]


def _reviewed(
    champion: Bundle, opinions: Sequence[Opinion], order: RetrainingOrder, progress: Progress
) -> Reviewed:
    progress("review the feedback", 0, 1)
    counting = newest_only(_without_keys(opinions, order.without_keys))
    if not counting:
        raise FeedbackError("there is no feedback: nothing to learn")
    known = parallel_scores(champion.civility, [one.text for one in counting], order.jobs)
    scores = np.stack([known[one.text] for one in counting])
    reviewed = review(counting, scores, order.settings.feedback, order.settings.guards)
    progress("review the feedback", 1, 1)
    return reviewed


def _without_keys(opinions: Sequence[Opinion], keys: Sequence[str]) -> list[Opinion]:
    unknown = set(keys) - {one.key_id for one in opinions}
    if unknown:
        raise FeedbackError(f"no opinion came with the key {min(unknown)}, which is to be left out")
    return [one for one in opinions if one.key_id not in keys]


def _civility(
    bundle: Bundle, lessons: Lessons, order: RetrainingOrder, plan: SplitPlan, progress: Progress
) -> _Judged | None:
    by_side = lessons.civility
    champion = bundle.civility
    held_out = by_side["test"] if order.refit else by_side["calibration"] + by_side["test"]
    if not len(by_side["train"]):
        return None
    progress("civility: learn", 0, 1)
    if order.refit and order.data_dir is not None:
        challenger = refitted_civility(champion, by_side["train"], by_side["calibration"], order.data_dir)
    else:
        anchors, shrinkage = civility_anchors(order.data_dir), order.settings.feedback.shrinkage
        challenger = continued_civility(champion, by_side["train"], anchors, shrinkage, order.jobs)
    progress("civility: learn", 1, 1)
    rows = Rows(order.data_dir, order.sample)
    texts = [*civility_texts(rows), *held_out.texts]
    before, after = sharing(champion, challenger)
    variants, figures = [], []
    for done, model in enumerate((before, after)):
        progress("civility: judge", done, 2)
        variants.append(served(model, parallel_scores(model, texts, order.jobs)))
        figures.append(judge_civility_model(model, variants[-1], rows))
    progress("civility: judge", 2, 2)
    gains = brier_gains(held_out, *variants)
    chance = civility_chance(variants[0], variants[1], rows)
    gates = civility_gates(figures[0], figures[1], chance, order.settings.gates)
    gates.append(feedback_gate(gains, held_out.weights, order.settings.gates, plan.seed))
    found: dict[str, Any] = {"champion": figures[0], "challenger": figures[1]}
    found["feedback"] = _on_feedback(held_out, variants)
    return _Judged(challenger, after, Verdict("civility", gates), found)


def _on_feedback(held_out: Lesson, variants: Sequence[Callable[[Sequence[str]], Any]]) -> dict[str, Any]:
    """The Brier score of both on held-out feedback, of all and by community."""
    if not len(held_out):
        return {}
    losses = [np.nanmean((score(held_out.texts) - held_out.labels) ** 2, axis=1) for score in variants]
    communities = np.array(held_out.communities)
    parts = {"all": np.ones(len(held_out), dtype=bool)}
    parts |= {name: communities == name for name in sorted(set(communities.tolist())) if name}
    return {
        name: {
            "comments": int(part.sum()),
            "champion": round(float(np.average(losses[0][part], weights=held_out.weights[part])), 4),
            "challenger": round(float(np.average(losses[1][part], weights=held_out.weights[part])), 4),
        }
        for name, part in parts.items()
    }


def _stance(
    bundle: Bundle, lessons: Lessons, order: RetrainingOrder, plan: SplitPlan, progress: Progress
) -> _Judged | None:
    by_side = lessons.stance
    learnt, held_out = [*by_side["train"], *by_side["calibration"]], by_side["test"]
    if not learnt:
        return None
    champion = bundle.stance
    progress("stance: learn", 0, 1)
    share = order.settings.feedback.stance_share
    if order.refit and order.data_dir is not None:
        challenger = refitted_stance(champion, learnt, order.data_dir, share)
    else:
        anchors = stance_anchors(order.data_dir)
        challenger = continued_stance(champion, learnt, anchors, share, champion.predict_proba)
    rows = _sampled(_held_out_stances(order.data_dir, plan), order.sample)
    progress("stance: learn", 1, 1)
    before, after = sharing(champion, challenger)
    figures = []
    for done, model in enumerate((before, after)):
        progress("stance: judge", done, 2)
        figures.append(judge_stance_model(model, rows, plan.seed))
    progress("stance: judge", 2, 2)
    gains, weights = stance_gains(held_out, before, after)
    chance = stance_chance(before, after, rows, plan.seed)
    gates = stance_gates(figures[0], figures[1], chance, order.settings.gates)
    gates.append(feedback_gate(gains, weights, order.settings.gates, plan.seed))
    return _Judged(
        challenger, after, Verdict("stance", gates), {"champion": figures[0], "challenger": figures[1]}
    )


def _held_out_stances(data_dir: Path | None, plan: SplitPlan) -> list[StanceRow]:
    """The test side of every set, or of the comments that ship."""
    if data_dir is not None:
        return stance_splits(data_dir, plan).test
    return [row for row in written_rows() if plan.side(row.group) == "test"]


def _sampled(rows: Sequence[Any], sample: int | None) -> list[Any]:
    """At most `sample` rows a set, in their order of digests: as good as drawn, and the same each time."""
    if sample is None:
        return list(rows)
    by_source: dict[str, list[Any]] = {}
    for row in sorted(rows, key=lambda row: hashlib.sha256(f"{row.premise}\n{row.text}".encode()).digest()):
        by_source.setdefault(row.source, []).append(row)
    return [row for of_source in by_source.values() for row in of_source[:sample]]


def _concluded(
    order: RetrainingOrder,
    champion: Bundle,
    plan: SplitPlan,
    reviewed: Reviewed,
    lessons: Lessons,
    judged: dict[str, _Judged],
    scratch: Path,
    progress: Progress,
) -> Outcome:
    better = {task: one for task, one in judged.items() if one.verdict.passed}
    now = datetime.datetime.now(datetime.UTC)
    version = order.version or next_version(order.releases, champion.version, now.date())
    decision = "refused" if not better else "would publish" if order.dry_run else "published"
    found: dict[str, Any] = {
        "champion": champion.version,
        "challenger": version,
        "decision": decision,
        "retrained": sorted(better),
        "created": now.isoformat(timespec="seconds"),
        "with_base_data": order.data_dir is not None,
        "refitted": order.refit,
        "sample": order.sample,
        "seed": plan.seed,
        "settings": order.settings.to_dict(),
        "observed": dict(order.observed),
        "feedback": reviewed.report
        | {"comments": _sizes(lessons), "without_keys": sorted(order.without_keys)},
        "verdicts": {task: one.verdict.to_dict() for task, one in judged.items()},
        "figures": {task: one.figures for task, one in judged.items()},
    }
    folder = None
    if better and not order.dry_run:
        progress("publish", 0, 1)
        order.before_publishing()
        folder = _published(order, champion, plan, version, better, found, scratch)
        progress("publish", 1, 1)
    progress("report", 0, 1)
    write_report(order.report, found, plots=order.plots)
    progress("report", 1, 1)
    return Outcome(version if better else None, folder, found)


def _published(
    order: RetrainingOrder,
    champion: Bundle,
    plan: SplitPlan,
    version: str,
    better: dict[str, _Judged],
    found: dict[str, Any],
    scratch: Path,
) -> Path:
    models: dict[str, Any] = {"civility": champion.civility, "stance": champion.stance}
    models |= {task: one.model for task, one in better.items()}
    recipe = {
        "seed": plan.seed,
        "split": {"train": plan.train, "calibration": plan.calibration, "test": plan.test},
        "retrained": sorted(better),
        "with_base_data": order.data_dir is not None,
        "refitted": order.refit,
        "settings": order.settings.to_dict(),
        "base": {"version": champion.version, "recipe": champion.manifest.recipe},
    }
    feedback: dict[str, Any] = {"name": "feedback", "licence": "the newsroom's own", "files": {}}
    feedback["rows"] = found["feedback"]["counting"]
    return publish(
        order.releases,
        scratch,
        version,
        (models["civility"], models["stance"]),
        champion=champion,
        recipe=recipe,
        training_data=[*champion.manifest.training_data, feedback],
        metrics=_metrics(order, champion.manifest, better),
        documents={
            "retraining.md": markdown(found, {}),
            "retraining.json": json.dumps(found, indent=1, ensure_ascii=False) + "\n",
        },
    )


def _metrics(order: RetrainingOrder, champion: Manifest, better: dict[str, _Judged]) -> dict[str, Any]:
    """The champion's figures for what it is still, the challenger's where they were measured anew."""
    metrics = dict(champion.metrics)
    for task, state in (("civility", civility_metrics), ("stance", stance_metrics_of)):
        if task in better:
            one = better[task]
            judged = one.figures["challenger"]
            metrics |= state(champion.metrics, champion.version, one.served, judged, order.data_dir)
    return metrics


def _sizes(lessons: Lessons) -> dict[str, dict[str, int]]:
    return {
        "civility": {side: len(of_side) for side, of_side in lessons.civility.items()},
        "stance": {side: len(of_side) for side, of_side in lessons.stance.items()},
    }


def _check_split(manifest: Manifest, plan: SplitPlan) -> None:
    """What is held out now must not have trained the champion, nor what it was made from."""
    now = {
        "seed": plan.seed,
        "split": {side: getattr(plan, side) for side in ("train", "calibration", "test")},
    }
    recipe: dict[str, Any] | None = manifest.recipe
    while recipe:
        if any(recipe.get(name, value) != value for name, value in now.items()):
            raise TrainingError(f"{manifest.version} was trained on another split of the data: train it anew")
        recipe = recipe.get("base", {}).get("recipe")
