"""Judge a bundle on held-out data and write the report: metrics.json, the model card, the plots."""

import datetime
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from data import SplitPlan
from models import Bundle, Manifest
from training.bias import judge_bias
from training.cascade import judge_cascade
from training.checks import functional_checks
from training.disagreement import judge_disagreement
from training.errors import LeftOutError, MissingExtraError, ReportError
from training.heldout import held_out
from training.judged import Judged, Rows, Variant, variants_of
from training.languages import judge_languages
from training.model_card import card_html, card_markdown
from training.robustness import judge_evasion, judge_long_comments
from training.spans import judge_spans
from training.stance_report import STANCE_SECTIONS, JudgedStance, remembering

__all__ = [
    "CARD",
    "CIVILITY_SECTIONS",
    "METRICS",
    "STANCE_SECTIONS",
    "Progress",
    "Report",
    "check_split",
    "evaluate",
    "metrics_json",
    "report",
]

Progress = Callable[[str, int, int], None]
Section = Callable[[Judged], dict[str, Any]]
Subject = TypeVar("Subject")

CIVILITY_SECTIONS: dict[str, Section] = {
    "checks": functional_checks,
    "heldOut": held_out,
    "bias": judge_bias,
    "disagreement": judge_disagreement,
    "evasion": judge_evasion,
    "spans": judge_spans,
    "cascade": judge_cascade,
    "longComments": judge_long_comments,
    "languages": judge_languages,
}
"""What the report says of the civility model: a name in metrics.json and the function that measures it.

A section whose data is missing raises `LeftOutError`, and the report notes why.
"""

METRICS, CARD, CARD_PAGE, PLOTS = "metrics.json", "model-card.md", "model-card.html", "plots"
_NUMBERS = re.compile(r"\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]")


@dataclass(frozen=True, slots=True)
class Report:
    """What to report on and where.

    Attributes:
        output: folder of the report; must be new or empty unless `force`.
        data_dir: folder of the datasets; None for the functional checks alone.
        sample: most rows a set; None for all.
        plots: whether to draw; needs the extra `report`.
        force: overwrite the files of an earlier report.
    """

    output: Path
    data_dir: Path | None = None
    sample: int | None = None
    plots: bool = True
    force: bool = False

    def check(self) -> None:
        """Refuse now what would fail at the end.

        Raises:
            ReportError: the folder is in use.
            MissingExtraError: matplotlib is not installed.
        """
        if self.output.exists() and not self.output.is_dir():
            raise ReportError(f"{self.output} is not a folder")
        if self.output.is_dir() and any(self.output.iterdir()) and not self.force:
            raise ReportError(f"{self.output} is not empty: name another folder, or use --force")
        if self.plots and find_spec("matplotlib") is None:
            raise MissingExtraError(
                "plots need matplotlib: pip install 'counterpoint[report]' (or use --no-plots)"
            )


def report(
    bundle: Bundle, order: Report, progress: Progress = lambda stage, done, total: None
) -> dict[str, Any]:
    """Judge the bundle and write the report.

    Args:
        bundle: what is judged.
        order: on which data, and where the report goes.
        progress: called with the name of a section, what is done of it, and its size.

    Returns:
        What metrics.json holds.

    Raises:
        ReportError: the folder is in use, or nothing can be measured.
        MissingExtraError: matplotlib is not installed.
        DataError: a dataset is malformed.
    """
    order.check()
    metrics = evaluate(bundle, order.data_dir, sample=order.sample, progress=progress)
    order.output.mkdir(parents=True, exist_ok=True)
    (order.output / METRICS).write_text(metrics_json(metrics), encoding="utf-8")
    drawn: dict[str, Path] = {}
    if order.plots:
        from training.plots import draw, draw_stance

        progress("plots", 0, 1)
        drawn = draw(metrics["civility"], order.output / PLOTS)
        drawn |= draw_stance(metrics["stance"], order.output / PLOTS)
        progress("plots", 1, 1)
    links = {name: f"{PLOTS}/{path.name}" for name, path in drawn.items()}
    card = card_markdown(bundle.manifest, metrics, links)
    (order.output / CARD).write_text(card, encoding="utf-8")
    page = card_html(bundle.manifest, metrics, {name: path.read_bytes() for name, path in drawn.items()})
    (order.output / CARD_PAGE).write_text(page, encoding="utf-8")
    return metrics


def evaluate(
    bundle: Bundle,
    data_dir: Path | None,
    *,
    sample: int | None = None,
    variants: list[Variant] | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Return every figure of the report, and by section why it was left out.

    Args:
        bundle: what is judged.
        data_dir: folder of the datasets.
        sample: most rows a set; None for all.
        variants: those of the bundle's civility model, where they remember scores already.
        progress: called with the name of a section, what is done of it, and its size.

    Raises:
        ReportError: no section can be measured, or the model was trained on another split.
        DataError: a dataset is malformed.
    """
    rows = Rows(data_dir, sample)
    if data_dir is not None:
        for task in ("civility", "stance"):
            check_split(bundle.manifest, rows.plan, task)
    judged = Judged(bundle.civility, variants or variants_of(bundle.civility), rows)
    civility, civility_left_out = _measured(
        CIVILITY_SECTIONS, judged, progress, begin=lambda name: _watch(judged, name, progress)
    )
    stance, stance_left_out = _measured(
        STANCE_SECTIONS, JudgedStance(remembering(bundle.stance), rows), progress, prefix="stance: "
    )
    if not civility and not stance:
        raise ReportError(f"nothing can be measured: {next(iter(civility_left_out.values()))}")
    return {
        "bundle": bundle.version,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seed": judged.seed,
        "sample": sample,
        "variants": [variant.name for variant in judged.variants],
        "civility": civility,
        "stance": stance,
        "leftOut": {"civility": civility_left_out, "stance": stance_left_out},
    }


def _measured(
    sections: Mapping[str, Callable[[Subject], dict[str, Any]]],
    subject: Subject,
    progress: Progress,
    *,
    prefix: str = "",
    begin: Callable[[str], None] = lambda name: None,
) -> tuple[dict[str, Any], dict[str, str]]:
    found: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for name, section in sections.items():
        begin(name)
        progress(f"{prefix}{name}", 0, 1)
        try:
            found[name] = section(subject)
        except LeftOutError as error:
            left_out[name] = str(error)
        progress(f"{prefix}{name}", 1, 1)
    return found, left_out


def check_split(manifest: Manifest, plan: SplitPlan, task: str) -> None:
    """Refuse to judge a model on rows that are held out now and may have trained it then.

    Args:
        manifest: of the bundle.
        plan: how rows are split now.
        task: "civility" or "stance".

    Raises:
        ReportError: the model was trained on another split.
    """
    recipe = manifest.recipe
    while task not in recipe.get("trained", [task]) and "base" in recipe:
        recipe = recipe["base"]["recipe"]
    now = {
        "seed": plan.seed,
        "split": {side: getattr(plan, side) for side in ("train", "calibration", "test")},
    }
    if any(recipe.get(name, value) != value for name, value in now.items()):
        raise ReportError(f"the {task} model of {manifest.version} was trained on another split of the data")


def metrics_json(metrics: dict[str, Any]) -> str:
    """Return the text of metrics.json: indented, with each list of numbers on one line."""
    text = json.dumps(metrics, indent=1, ensure_ascii=False, allow_nan=False)
    return _NUMBERS.sub(lambda found: "[" + " ".join(found[1].split()) + "]", text) + "\n"


def _watch(judged: Judged, section: str, progress: Progress) -> None:
    scored = 0

    def count(more: int) -> None:
        nonlocal scored
        scored += more
        progress(f"{section} ({scored:,} texts)", 0, 1)

    for variant in judged.variants:
        variant.watch = count
