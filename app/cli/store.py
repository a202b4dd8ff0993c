"""`counterpoint store`: what is stored, forgetting it, taking it out and in."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.cli.database import open_database
from app.cli.moments import read_moment

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="What the service stores: articles, scored comments, feedback.\n\n"
    "The database is the one that [bold]COUNTERPOINT_DATABASE_URL[/bold] names; the service may run "
    "meanwhile.\n\nExample: [bold]counterpoint store prune --older-than 90d --dry-run[/bold]",
)


@app.command()
def show(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Show how much is stored, and from when.

    Example: [bold]counterpoint store show[/bold]
    """
    from app.store.retention import overview

    with open_database() as database:
        found, place = overview(database), database.place
    if as_json:
        typer.echo(json.dumps({"database": place, "tables": found}))
        return
    table = Table("table", "rows", "oldest", "newest", title=place, title_justify="left")
    for name, figures in found.items():
        table.add_row(name, f"{figures['rows']:,}", figures["oldest"] or "–", figures["newest"] or "–")
    Console().print(table)


@app.command()
def prune(
    older_than: Annotated[
        str,
        typer.Option(help="Age, such as 12h, 90d or 52w, or a date such as 2026-01-31.", show_default=False),
    ],
    only: Annotated[
        Literal["comments", "feedback"] | None, typer.Option(help="Prune this alone.", show_default="both")
    ] = None,
    key_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Only the feedback that came with this API key, by its id as `keys list` shows it.",
            show_default="whoever sent it",
        ),
    ] = None,
    texts_only: Annotated[
        bool, typer.Option("--texts-only", help="Forget texts; keep scores, labels and digests.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and change nothing.")] = False,
) -> None:
    """Forget scored comments and feedback from before a moment. Registered articles stay.

    Answers kept for Idempotency-Key go too. SQLite overwrites what is forgotten, in the file and its log.

    Example: [bold]counterpoint store prune --older-than 90d --texts-only[/bold]

    What a key sent: [bold]counterpoint store prune --older-than 0h --key-id 3kq9x0a7bz[/bold]
    """
    from app.store.retention import PRUNABLE
    from app.store.retention import prune as forget

    if key_id is not None and only == "comments":
        raise typer.BadParameter("is about feedback: leave out --only comments", param_hint="--key-id")
    only = only if key_id is None else "feedback"
    before = read_moment(older_than, "--older-than", towards="past")
    gone: dict[str, int] = {}
    with open_database() as database, _counting() as progress:
        for kind in PRUNABLE:
            if only is None or kind == only:
                task = progress.add_task(kind, total=None, count=0)
                gone[kind] = forget(
                    database,
                    before,
                    kind,
                    key_id=key_id,
                    texts_only=texts_only,
                    dry_run=dry_run,
                    progress=lambda count, task=task: progress.update(task, count=count),  # type: ignore[misc]
                )
    verb = "would be" if dry_run else "are"
    what = "texts" if texts_only else "rows"
    for name, count in gone.items():
        typer.echo(
            f"{name}: {count:,} {what} from before {before.isoformat(timespec='minutes')} {verb} forgotten"
        )


@app.command("export")
def export(
    output: Annotated[Path, typer.Argument(help="File, or for Parquet a new folder.", show_default=False)],
    as_: Annotated[
        Literal["jsonl", "parquet"] | None,
        typer.Option("--format", help="What to write.", show_default="jsonl, or parquet without a suffix"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an earlier JSONL file.")] = False,
) -> None:
    """Write everything that is stored to a JSON Lines file, or to a folder of Parquet files.

    The file holds readers' texts, and is readable to you alone.

    Example: [bold]counterpoint store export backup.jsonl[/bold]
    """
    from app.store.files import write_jsonl, write_parquet

    chosen = as_ or ("jsonl" if output.suffix else "parquet")
    if chosen == "jsonl" and output.exists() and not force:
        raise typer.BadParameter(f"{output} exists; --force writes over it")
    write = write_jsonl if chosen == "jsonl" else write_parquet
    with open_database() as database, _counting() as progress:
        task = progress.add_task("rows", total=None, count=0)
        count = write(database, output, lambda count: progress.update(task, count=count))
    typer.echo(f"{count:,} rows in {output}")


@app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="An export, or an old counterpoint-feedback.jsonl.", show_default=False)
    ],
) -> None:
    """Take an export in. What is there already stays; importing twice changes nothing.

    Example: [bold]counterpoint store import backup.jsonl[/bold]
    """
    from app.store.files import read_rows
    from app.store.transfer import import_rows

    with open_database() as database, _counting() as progress:
        task = progress.add_task("rows", total=None, count=0)
        done = import_rows(database, read_rows(source), lambda count: progress.update(task, count=count))
    typer.echo(", ".join(f"{count:,} {table}" for table, count in done.items()))


def _counting() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.fields[count]:,}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
