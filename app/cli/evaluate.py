"""`counterpoint evaluate`: judge a bundle and write the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from app.cli.bundles import find_bundle, settings_of

if TYPE_CHECKING:
    from models import Bundle

__all__ = ["evaluate"]


def evaluate(
    bundle: Annotated[str, typer.Argument(help="Folder of a bundle, or the version of a release.")],
    output: Annotated[Path, typer.Option(help="Folder of the report: new, or empty.")],
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
    force: Annotated[bool, typer.Option("--force", help="Write over an earlier report.")] = False,
) -> None:
    """Judge a bundle's civility model on held-out data; write metrics.json, a model card and plots.

    What is missing of the datasets is left out, and the report says so. Without any, the functional
    checks alone are measured: they come with the project.

    For example:

      counterpoint evaluate 2026.11.2 --output /tmp/report --data-dir datasets

      counterpoint evaluate models/releases/2026.11.2 --output /tmp/look --sample 500 --no-plots
    """
    from training.evaluate import Report, report

    order = Report(output, _data_dir(data_dir), sample, plots, force)
    order.check()
    loaded = _load(bundle)
    with _Sections(Console(stderr=True)) as sections:
        metrics = report(loaded, order, sections.report)
    _show(Console(), metrics)
    Console(stderr=True).print(f"report in {output}", soft_wrap=True, markup=False)


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

    variants: list[str] = metrics["variants"]
    civility = metrics["civility"]
    sample = f", at most {metrics['sample']:,} rows a set" if metrics["sample"] else ""
    title = f"{metrics['bundle']}: test split, seed {metrics['seed']}{sample}"
    console.print(_table(title, ("", *variants), summary(civility, variants)))
    if "checks" in civility:
        measured = [f"{name} ({variant})" for variant in variants for name in ("passed", "rate")]
        rows = check_rows(civility["checks"], variants)
        console.print(_table("Checks by function", ("function", "cases", *measured), rows))
    for section, reason in metrics["leftOut"]["civility"].items():
        console.print(Text(f"left out: {section}: {reason}", style="yellow"))


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(header):
        table.add_column(name, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
