"""`counterpoint rescore`: score an archive anew, however large."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from app.forking import prepare_workers, usable_cores

if TYPE_CHECKING:
    from app.rescore import Drift, Engine, Order, Outcome
    from app.rescore.job import Model

__all__ = ["rescore"]

_FORMATS = Literal["jsonl", "json", "csv", "tsv", "parquet", "wordpress", "disqus", "coral"]
_INPUT, _COLUMNS, _ENGINES = "Input", "Columns", "Where to score"


def rescore(
    given: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="A file, a folder, a pattern in quotes, an address such as s3://bucket/key, or - for "
            "standard input.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            help="File of the scores, or an address: .jsonl, .csv (also with .gz or .zst) or .parquet.",
            show_default=False,
        ),
    ] = None,
    staging: Annotated[
        Path,
        typer.Option(help="Folder in which an output is finished that is sent to an address."),
    ] = Path(),
    format: Annotated[
        _FORMATS | None,
        typer.Option(help="What INPUT is.", show_default="its content tells", rich_help_panel=_INPUT),
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="Column of the comment.", show_default=False, rich_help_panel=_COLUMNS)
    ] = None,
    id: Annotated[
        str | None, typer.Option(help="Column of its id.", show_default=False, rich_help_panel=_COLUMNS)
    ] = None,
    article: Annotated[
        str | None,
        typer.Option(help="Column of the article's id.", show_default=False, rich_help_panel=_COLUMNS),
    ] = None,
    premise: Annotated[
        str | None,
        typer.Option(
            help="Column of the sentence towards which the stance is told.",
            show_default=False,
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(
            help="Column of the article's title: the premise where there is none.",
            show_default=False,
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            help="Column of the id of the comment that is answered.",
            show_default=False,
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    parent_text: Annotated[
        str | None,
        typer.Option(
            help="Column of the text of the comment that is answered.",
            show_default=False,
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    keep_columns: Annotated[
        bool, typer.Option("--keep-columns", help="Put the other columns of the input into the output.")
    ] = False,
    sql: Annotated[
        str | None,
        typer.Option(
            help="URL of a database to read instead of INPUT, such as postgresql+psycopg://user@host/name.",
            envvar="COUNTERPOINT_SQL",
            show_default=False,
            rich_help_panel=_INPUT,
        ),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(help="What to ask --sql for.", show_default=False, rich_help_panel=_INPUT),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is recognised in the input, and score nothing.")
    ] = False,
    compare: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD", help="Output of an earlier run: show what differs from it.", show_default=False
        ),
    ] = None,
    stance: Annotated[
        bool,
        typer.Option("--stance/--no-stance", help="Whether to tell stances, which takes milliseconds each."),
    ] = True,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Score so many rows, drawn at random.", show_default="all")
    ] = None,
    run_id: Annotated[
        str | None, typer.Option(help="Name of the run.", show_default="made from the input and the model")
    ] = None,
    fail_on_reject: Annotated[
        bool, typer.Option("--fail-on-reject", help="Exit with 1 where a row cannot be scored.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Throw away what an interrupted run has finished.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over an output that exists.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that score here.", show_default="one a core", rich_help_panel=_ENGINES
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the models.", show_default="the newest release", rich_help_panel=_ENGINES
        ),
    ] = None,
    encoder_share: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of comments that the encoder reads, in milliseconds each; 0 is the fast stage alone.",
            show_default="COUNTERPOINT_ENCODER_SHARE, else the bundle's",
            rich_help_panel=_ENGINES,
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Ask a running service instead.", show_default=False, rich_help_panel=_ENGINES),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="COUNTERPOINT_API_KEY",
            help="API key for --url.",
            show_default=False,
            rich_help_panel=_ENGINES,
        ),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="Requests under way to --url.", rich_help_panel=_ENGINES)
    ] = 4,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Score on a Dask cluster, such as tcp://host:8786.",
            show_default=False,
            rich_help_panel=_ENGINES,
        ),
    ] = None,
    part_bytes: Annotated[
        int, typer.Option(min=1_000, help="About how many bytes of the input are finished at a time.")
    ] = 4_000_000,
) -> None:
    """Score an archive of comments anew, for a new model or new thresholds.

    Whatever interrupts it, the same command goes on where it was; finished parts are never scored twice. Rows
    that cannot be scored go to OUTPUT.rejects.jsonl with line and reason. OUTPUT.manifest.json says what was
    done. All three engines (here, --url, --scheduler) give the same output.

    For example:

      counterpoint rescore comments.jsonl --output scores.jsonl --encoder-share 0 --no-stance

      counterpoint rescore 'archive/*.parquet' --output scores.parquet --text body --id comment_id

      counterpoint rescore - --output scores.csv --url http://127.0.0.1:8000 < comments.csv

    Exit status: 0 when it is complete, rejects or not; 1 when it stopped, or with --fail-on-reject when there
    are rejects; 2 when the command is wrong.
    """
    if query is None:
        sql = None  # it may be in the environment for other commands
    elif sql is None:
        raise typer.BadParameter("--query goes with --sql")
    if (given is None) == (query is None):
        raise typer.BadParameter("give INPUT, or --sql and --query, and not both")
    if output is None and not dry_run:
        raise typer.BadParameter("give --output FILE, or --dry-run")
    _refuse_contradictions(url, scheduler, workers, bundle, encoder_share)
    if not (url or scheduler or dry_run) and (workers or usable_cores()) > 1:
        prepare_workers("app.rescore.engines")
    from app.rescore import Order, Rescoring, is_remote, kind_of_output, rescore_elsewhere, staged_output
    from app.rescore import rescore as run_here

    columns = {
        "text": text,
        "id": id,
        "article": article,
        "premise": premise,
        "title": title,
        "parent": parent,
        "parent_text": parent_text,
    }
    order = Order(given, columns, format, sql, query, threads=stance)
    notes = Console(stderr=True, soft_wrap=True)
    if dry_run or output is None:
        _show_preview(Console(), order)
        return
    address = output if is_remote(output) else None
    if address is not None and compare is not None:
        raise typer.BadParameter("--compare needs an --output on this machine")
    path = Path(output) if address is None else staged_output(address, staging)
    with _engine(url, key, concurrency, scheduler, workers, bundle, encoder_share) as (name, engine, model):
        asked = Rescoring(
            order=order,
            output=path,
            model=model,
            engine_name=name,
            kind=kind_of_output(path),
            stance=stance,
            sample=sample,
            keep=keep_columns,
            run_id=run_id,
            restart=restart,
            force=force,
            part_bytes=part_bytes,
        )
        with _Bars(notes) as bars:
            outcome = (
                run_here(asked, engine, bars.report)
                if address is None
                else rescore_elsewhere(asked, address, engine, bars.report)
            )
    _show(notes, outcome, output)
    if compare is not None:
        _show_drift(Console(), notes, compare, path)
    if fail_on_reject and outcome.rejects:
        raise typer.Exit(1)


def _refuse_contradictions(
    url: str | None,
    scheduler: str | None,
    workers: int | None,
    bundle: Path | None,
    encoder_share: float | None,
) -> None:
    if url is not None and scheduler is not None:
        raise typer.BadParameter("give --url or --scheduler, and only one of them")
    if workers is not None and (url or scheduler):
        raise typer.BadParameter("--workers goes with scoring here")
    if url is not None and (bundle is not None or encoder_share is not None):
        raise typer.BadParameter("--bundle and --encoder-share go with scoring here; the service has its own")


@contextmanager
def _engine(
    url: str | None,
    key: str | None,
    concurrency: int,
    scheduler: str | None,
    workers: int | None,
    bundle: Path | None,
    encoder_share: float | None,
) -> "Iterator[tuple[str, Engine, Model]]":
    from app.rescore import Service, in_process, model_of, on_cluster, through_service
    from app.settings import load_settings
    from models import latest_bundle

    if url is not None:
        with Service(url, key=key, concurrency=concurrency) as service:
            yield "service", through_service(service, concurrency), service.model()
        return
    chosen: dict[str, Any] = {} if encoder_share is None else {"encoder_share": encoder_share}
    settings = load_settings(**chosen)
    folder = (
        bundle or _bundle_of(settings.releases, settings.bundle_version) or latest_bundle(settings.releases)
    )
    model = model_of(folder, settings)
    if scheduler is not None:
        yield "cluster", on_cluster(scheduler), model
    else:
        yield "in process", in_process(workers or usable_cores()), model


def _bundle_of(releases: Path, version: str | None) -> Path | None:
    return None if version is None else releases / version


class _Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s", style="progress.data.speed")


class _Bars:
    """One progress bar a stage."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()

    def report(self, stage: str, done: int, total: int | None) -> None:
        if stage not in self._tasks:
            # What was finished before this try must not count as its speed.
            self._tasks[stage] = self._progress.add_task(stage, total=total, completed=done)
        self._progress.update(self._tasks[stage], completed=done, total=total)


def _show(notes: Console, outcome: "Outcome", output: str) -> None:
    if outcome.was_complete:
        notes.print(f"{output} is complete already", markup=False)
    table = Table("what", show_header=False)
    table.add_column(justify="right")
    table.add_row("rows scored", f"{outcome.rows:,}")
    for decision, count in outcome.decisions.items() if outcome.rows else ():
        table.add_row(f"  {decision}", f"{count:,}")
    table.add_row("rows rejected", f"{outcome.rejects:,}")
    for reason, count in outcome.reasons.items():
        table.add_row(Text(f"  {reason}"), f"{count:,}")
    if outcome.seconds:
        table.add_row("seconds", f"{outcome.seconds:,.1f}")
        table.add_row("rows scored a second", f"{outcome.scored_now / outcome.seconds:,.0f}")
    notes.print(table)
    notes.print(f"scores in {output}, manifest in {output}.manifest.json", markup=False)
    if outcome.rejects:
        notes.print(f"what was rejected, and why, in {output}.rejects.jsonl", style="yellow", markup=False)


def _show_preview(console: Console, order: "Order") -> None:
    from app.rescore import preview
    from app.settings import load_settings

    for found in preview(order, load_settings()):
        table = Table("field", "column", title=f"{found.name}: {found.kind}", title_justify="left")
        for field, column in found.mapping.model_dump().items():
            table.add_row(field, Text(column or "–"))
        table.add_row("others", Text(", ".join(found.others) or "–"))
        console.print(table)
        told = f"of its first rows {found.good:,} can be scored"
        console.print(f"{told}, {found.with_premise:,} with a premise, {found.with_parent:,} with a parent")
        for reason, count in found.rejects.items():
            console.print(Text(f"{count:,} rejected: {reason}", style="yellow"))


def _show_drift(console: Console, notes: Console, old: Path, new: Path) -> None:
    from app.rescore import find_drift, write_drift

    drift = find_drift(old, new)
    _print_drift(console, drift)
    figures = new.with_name(f"{new.name}.drift.json")
    write_drift(drift, figures)
    notes.print(f"figures in {figures}", markup=False)
    try:
        from app.rescore.drift_plot import draw_drift
    except ImportError:
        notes.print("no plot: it needs pip install 'counterpoint[report]'", markup=False)
        return
    picture = new.with_name(f"{new.name}.drift.png")
    draw_drift(drift, picture)
    notes.print(f"plot in {picture}", markup=False)


def _print_drift(console: Console, drift: "Drift") -> None:
    title = f"{drift.both:,} comments in both, {drift.only_old:,} only before, {drift.only_new:,} only now"
    table = Table("attribute", title=title, title_justify="left")
    for name in ("correlation", "mean difference"):
        table.add_column(name, justify="right")
    for name, correlation in drift.correlations.items():
        told = "–" if correlation is None else f"{correlation:.4f}"
        table.add_row(name, told, f"{drift.differences[name]:.4f}")
    console.print(table)
    share = drift.changed / max(drift.both, 1)
    title = f"{drift.changed:,} decisions change ({share:.2%})"
    table = Table("decision before", "now", title=title, title_justify="left")
    table.add_column("comments", justify="right")
    for (before, now), count in sorted(drift.decisions.items()):
        table.add_row(before, now, f"{count:,}")
    console.print(table)
    if drift.largest:
        heads = ("id", "attribute", "before", "now", "decisions")
        table = Table(*heads, title="Largest changes", title_justify="left")
        for moved in drift.largest:
            decisions = f"{moved.old_decision} → {moved.new_decision}"
            scores = f"{moved.old:.4f}", f"{moved.new:.4f}"
            table.add_row(Text(moved.id), moved.attribute, *scores, decisions)
        console.print(table)
