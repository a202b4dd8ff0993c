"""`counterpoint evaluate`: judge a bundle and write the report, or judge it by a public benchmark."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from app.cli.bundles import find_bundle, settings_of

if TYPE_CHECKING:
    from models import Bundle

__all__ = ["evaluate"]


def evaluate(
    bundle: Annotated[str, typer.Argument(help="Folder of a bundle, or the version of a release.")],
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the report: new, or empty. With --benchmark, a file for its figures as JSON.",
            show_default="needed without --benchmark",
        ),
    ] = None,
    benchmark: Annotated[
        Literal["fnc-1", "ibm-argq", "perspectrum", "arc"] | None,
        typer.Option(help="Judge stance by this public benchmark instead of writing a report."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the datasets.", show_default="COUNTERPOINT_DATA_DIR"),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many rows a set: a quick look.", show_default="all rows"),
    ] = None,
    plots: Annotated[
        bool, typer.Option("--plots/--no-plots", help="Draw plots (the extra \\[report]).")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Write over an earlier report or file.")] = False,
) -> None:
    """Judge a bundle's models on held-out data; write metrics.json, a model card and plots.

    What is missing of the datasets is left out, and the report says so. Without any, the functional
    checks are measured, and the threads written for this project: they come with it.

    With --benchmark, the stance model is judged by the official split and scorer of one public set.
    fnc-1 has 25,413 long texts: begin with --sample.

    For example:

      counterpoint evaluate 2026.11.8 --output /tmp/report --data-dir datasets

      counterpoint evaluate models/releases/2026.11.8 --output /tmp/look --sample 500 --no-plots

      counterpoint evaluate 2026.11.8 --benchmark fnc-1 --sample 500 --output fnc-1.json
    """
    if benchmark is not None:
        _judge_by(benchmark, bundle, output, data_dir, sample, force=force)
        return
    if output is None:
        raise typer.BadParameter("needed without --benchmark", param_hint="--output")
    from training.evaluate import Report, report

    order = Report(output, _data_dir(data_dir), sample, plots, force)
    order.check()
    loaded = _load(bundle)
    with _Sections(Console(stderr=True)) as sections:
        metrics = report(loaded, order, sections.report)
    _show(Console(), metrics)
    Console(stderr=True).print(f"report in {output}", soft_wrap=True, markup=False)


def _judge_by(
    benchmark: str, bundle: str, output: Path | None, chosen: Path | None, sample: int | None, *, force: bool
) -> None:
    from data.folder import data_dir
    from training.evaluate import metrics_json
    from training.public_benchmarks import judge_benchmark

    _check_file(output, force=force)
    folder, loaded = data_dir(chosen), _load(bundle)
    errors = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors) as bars:
        task = bars.add_task(benchmark, total=None)
        found = judge_benchmark(
            loaded,
            benchmark,
            folder,
            sample=sample,
            progress=lambda done, total: bars.update(task, completed=done, total=total),
        )
    _show_benchmark(Console(), found)
    if output is not None:
        output.write_text(metrics_json(found), encoding="utf-8")
        errors.print(f"figures in {output}", soft_wrap=True, markup=False)


def _check_file(output: Path | None, *, force: bool) -> None:
    """Refuse now what would fail after all pairs are judged."""
    from training.errors import ReportError

    if output is None:
        return
    if output.is_dir():
        raise ReportError(f"{output} is a folder: name a file for the figures of a benchmark")
    if output.exists() and not force:
        raise ReportError(f"{output} exists: name another file, or use --force")
    if not output.parent.is_dir():
        raise ReportError(f"{output.parent} does not exist")


def _data_dir(chosen: Path | None) -> Path | None:
    """The folder that is named; None where none is."""
    import os

    from data.folder import DATA_DIR_VARIABLE, data_dir

    return data_dir(chosen) if chosen or os.environ.get(DATA_DIR_VARIABLE) else None


def _load(named: str) -> "Bundle":
    from models import load_bundle

    settings = settings_of(None)
    return load_bundle(find_bundle(named, settings), settings.trusted_keys)


class _Sections:
    """One progress bar a section of the report."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Sections":
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()

    def report(self, section: str, done: int, total: int) -> None:
        name = section.split(" (")[0]
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None)
        if done < total:
            self._progress.update(self._tasks[name], description=section)
        else:
            self._progress.update(self._tasks[name], completed=done, total=total)


def _show(console: Console, metrics: dict[str, Any]) -> None:
    from training.card_figures import check_rows, summary
    from training.stance_card import stance_check_rows, stance_summary

    variants: list[str] = metrics["variants"]
    civility = metrics["civility"]
    sample = f", at most {metrics['sample']:,} rows a set" if metrics["sample"] else ""
    title = f"{metrics['bundle']}: test split, seed {metrics['seed']}{sample}"
    console.print(_table(title, ("", *variants), summary(civility, variants)))
    if "checks" in civility:
        measured = [f"{name} ({variant})" for variant in variants for name in ("passed", "rate")]
        rows = check_rows(civility["checks"], variants)
        console.print(_table("Checks by function", ("function", "cases", *measured), rows))
    stance = metrics["stance"]
    console.print(_table("Stance", ("", "figure"), stance_summary(stance)))
    if "checks" in stance:
        header = ("function", "cases", "right", "pairs", "flip")
        console.print(_table("Checks of stance by function", header, stance_check_rows(stance["checks"])))
    for task, left_out in metrics["leftOut"].items():
        for section, reason in left_out.items():
            shown = section if task == "civility" else f"{task}: {section}"
            console.print(Text(f"left out: {shown}: {reason}", style="yellow"))


def _show_benchmark(console: Console, found: dict[str, Any]) -> None:
    of = f" (a sample of at most {found['sample']:,})" if found["sample"] else ""
    title = f"{found['bundle']} on {found['benchmark']}: {found['rows']:,} pairs{of}, seed {found['seed']}"
    console.print(_table(title, ("figure", "value"), list(_figure_rows(found["figures"]))))
    if confusion := found["figures"].get("confusion"):
        labels = confusion["labels"]
        rows = [
            [label, *(f"{n:,}" for n in row)] for label, row in zip(labels, confusion["rows"], strict=True)
        ]
        console.print(_table("Pairs by label", ("truth", *(f"called {label}" for label in labels)), rows))
    notes = (("rows", "rows_are"), ("labels", "labels_are"), ("published", "published"))
    for name, key in notes:
        if found[key]:
            console.print(Text(f"{name}: {found[key]}"))


def _figure_rows(figures: dict[str, Any]) -> Iterator[list[str]]:
    for name, value in figures.items():
        title = name.replace("_", " ")
        if name == "f1":
            yield from ([f"F1 of {label}", f"{one:.4f}"] for label, one in value.items())
        elif name != "confusion":
            yield [title, "–" if value is None else f"{value:,.2f}" if value > 1 else f"{value:.4f}"]


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(header):
        table.add_column(name, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
