"""`counterpoint compare`: the same texts to two Perspective-compatible services."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from app.compare import Comparison, Reply

__all__ = ["compare"]

_ATTRIBUTES = ["TOXICITY", "SEVERE_TOXICITY", "INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK"]


def compare(
    file: Annotated[
        Path,
        typer.Argument(help="Texts: .jsonl, .csv or .tsv, or else one text a line.", show_default=False),
    ],
    left: Annotated[str, typer.Option(help="URL of one service.", show_default=False)],
    right: Annotated[str, typer.Option(help="URL of the other.", show_default=False)],
    left_key: Annotated[
        str | None,
        typer.Option(envvar="COUNTERPOINT_LEFT_KEY", help="API key for the left one.", show_default=False),
    ] = None,
    right_key: Annotated[
        str | None,
        typer.Option(envvar="COUNTERPOINT_RIGHT_KEY", help="API key for the right one.", show_default=False),
    ] = None,
    attributes: Annotated[
        list[str] | None,
        typer.Option("--attribute", help="Attribute to compare; may be repeated.", show_default="all six"),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the texts.", show_default="each side detects it")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="A decision is a score above this one.")
    ] = 0.8,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Requests under way on each side.")] = 8,
    output: Annotated[Path, typer.Option(help="CSV of both scores.")] = Path("comparison.csv"),
    with_texts: Annotated[bool, typer.Option("--with-texts", help="Put the texts into the CSV.")] = False,
    plot: Annotated[
        bool, typer.Option("--plot/--no-plot", help="Draw a PNG beside the CSV (the extra \\[report]).")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Write over earlier files.")] = False,
    top: Annotated[int, typer.Option(min=0, help="How many of the largest changes to show.")] = 10,
    text_field: Annotated[str, typer.Option(help="Field or column of the text.")] = "text",
    id_field: Annotated[str, typer.Option(help="Field or column of the id.")] = "id",
) -> None:
    """Replay a file of texts against two services that speak the Perspective protocol; compare the scores.

    Each side is asked at its own pace and again after 429 and 503; every request says doNotStore.

    For example:

      counterpoint compare comments.csv --left https://commentanalyzer.googleapis.com --right http://127.0.0.1:8000

      counterpoint compare comments.jsonl --left http://old:8000 --right http://new:8000 --attribute TOXICITY

    Exit status: 0 when both sides scored every text, 1 when one did not, 2 when the command is wrong.
    """
    import asyncio

    from app.compare import CompareError, Endpoint, read_texts, write_csv
    from app.compare import compare as ask_both

    picture = output.with_suffix(".png") if plot else None
    _refuse_existing([output, *([picture] if picture else [])], force)
    texts = read_texts(file, text_field=text_field, id_field=id_field)
    console, notes = Console(), Console(stderr=True, soft_wrap=True)
    with _Bars(notes, len(texts)) as bars:
        comparison = asyncio.run(
            ask_both(
                texts,
                Endpoint("left", left, left_key),
                Endpoint("right", right, right_key),
                attributes=list(dict.fromkeys(attributes or _ATTRIBUTES)),
                language=language,
                concurrency=concurrency,
                progress=bars.report,
            )
        )
    write_csv(comparison, output, with_texts=with_texts)
    _show(console, comparison, threshold, top)
    notes.print(f"scores in {output}", markup=False)
    if picture is not None and any(map(_has_scores, zip(comparison.left, comparison.right, strict=True))):
        _draw(notes, comparison, threshold, picture)
    if comparison.stopped:
        raise CompareError("; ".join(comparison.stopped))
    if comparison.errors():
        raise typer.Exit(1)


def _refuse_existing(files: list[Path], force: bool) -> None:
    for file in files:
        if file.exists() and not force:
            raise typer.BadParameter(f"{file} exists; --force writes over it, --output names another")


class _Bars:
    """One progress bar a side."""

    def __init__(self, console: Console, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console)
        self._tasks = {side: self._progress.add_task(side, total=total) for side in ("left", "right")}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()

    def report(self, side: str, done: int) -> None:
        self._progress.update(self._tasks[side], completed=done)


def _show(console: Console, comparison: "Comparison", threshold: float, top: int) -> None:
    from app.compare import agreement, largest_changes

    table = Table(title=f"{len(comparison.texts):,} texts", title_justify="left")
    table.add_column("attribute", no_wrap=True)
    for name in ("both", "Spearman", "Pearson", "difference", f"changed at {threshold:g}"):
        table.add_column(name, justify="right")
    for name in comparison.attributes:
        found = agreement(comparison, name, threshold)
        figures = (found.spearman, found.pearson, found.difference)
        changed = "–" if found.changed is None else f"{found.changed:.1%}"
        table.add_row(Text(name), f"{found.texts:,}", *map(_cell, figures), changed)
    console.print(table)
    if changes := largest_changes(comparison, top):
        table = Table("id", "attribute", "left", "right", title="Largest changes", title_justify="left")
        for change in changes:
            table.add_row(
                Text(change.id), Text(change.attribute), f"{change.left:.3f}", f"{change.right:.3f}"
            )
        console.print(table)
    for (side, error), count in sorted(comparison.errors().items()):
        console.print(Text(f"{side}: {count:,} without scores: {error}", style="yellow"))


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _has_scores(replies: "tuple[Reply | None, Reply | None]") -> bool:
    return all(reply is not None and reply.scores for reply in replies)


def _draw(notes: Console, comparison: "Comparison", threshold: float, path: Path) -> None:
    try:
        from app.compare.plot import draw
    except ImportError:
        notes.print("no plot: it needs pip install 'counterpoint[report]'", markup=False)
        return
    draw(comparison, threshold, path)
    notes.print(f"plot in {path}", markup=False)
