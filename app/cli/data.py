"""`counterpoint data`: which datasets there are, fetching them, checking them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from counterpoint import CounterpointError
from data.catalog import CatalogFile, Dataset, choose
from data.errors import DataDirError
from data.fetch import address_of, fetch_file, new_client
from data.folder import DATA_DIR_VARIABLE, data_dir
from data.verify import dataset_state

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The public datasets that the models are trained on: list, fetch and verify them.\n\n"
    f"They lie in one folder, which [bold]{DATA_DIR_VARIABLE}[/bold] names.\n\n"
    "Example: [bold]counterpoint data fetch davidson-2017 fnc-1 --to datasets[/bold]",
)

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Datasets, such as arc or stance/arc; `list` names all.", show_default=False),
]
Folder = Annotated[
    Path | None,
    typer.Option("--data-dir", envvar=DATA_DIR_VARIABLE, help="The folder that holds the datasets."),
]
COLOURS = {"present": "green", "missing": "yellow", "altered": "red"}


@app.command("list")
def list_datasets(
    folder: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Show every dataset: rows, licence, where it comes from, and whether it is here.

    Example: [bold]counterpoint data list --json[/bold]
    """
    try:
        root = data_dir(folder)
    except DataDirError as fault:
        if folder is not None:
            raise
        root, hint = None, str(fault)
    else:
        hint = ""
    states = {item.name: dataset_state(root, item)[0] if root else None for item in choose(())}
    if as_json:
        typer.echo(json.dumps([_described(item, states[item.name]) for item in choose(())], indent=2))
        return
    table = Table("name", "rows", "languages", "licence", "comes from", "status")
    table.columns[1].justify = "right"
    table.columns[0].no_wrap = True
    for item in choose(()):
        state = states[item.name] or "unknown"
        colour = COLOURS.get(state, "dim")
        table.add_row(
            item.name,
            f"{item.rows:,}",
            " ".join(item.languages),
            item.licence,
            "public source" if _is_public(item) else "a mirror only",
            Text(state, style=colour),
        )
    console = Console()
    console.print(table)
    if hint:
        console.print(Text(hint, style="dim"))


def _described(item: Dataset, state: str | None) -> dict[str, object]:
    return {
        "name": item.name,
        "task": item.task,
        "title": item.title,
        "rows": item.rows,
        "languages": item.languages,
        "licence": item.licence,
        "citation": item.citation,
        "homepage": item.homepage,
        "repository": item.repository,
        "derived": item.derived,
        "training": item.training,
        "note": item.note,
        "public": _is_public(item),
        "bytes": sum(file.bytes for file in item.files),
        "status": state,
    }


def _is_public(item: Dataset) -> bool:
    return all(file.url for file in item.files if file.required)


@app.command()
def fetch(
    to: Annotated[
        Path,
        typer.Option("--to", envvar=DATA_DIR_VARIABLE, help="The folder to fill; it is made if need be."),
    ],
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Fetch every dataset.")] = False,
    mirror: Annotated[
        str | None,
        typer.Option(help="A server that has such a data folder; needed for sets without a public source."),
    ] = None,
) -> None:
    """Fetch datasets, going on where an earlier fetch broke off, and check their digests.

    Files that are here and right are skipped. One that fails never keeps the others from coming.

    Example: [bold]counterpoint data fetch arc --to datasets --mirror http://files.example.org/data[/bold]
    """
    if bool(names) == everything:
        raise typer.BadParameter("name the datasets to fetch, or say --all")
    chosen = choose(names or ())
    failures = _fetch_all(chosen, to, mirror)
    for failure in failures:
        typer.echo(failure, err=True)
    wanted = sum(len(_wanted(item, mirror)) for item in chosen)
    typer.echo(f"{wanted - len(failures)} of {wanted} files are in {to}.")
    if failures:
        raise typer.Exit(1)


def _wanted(item: Dataset, mirror: str | None) -> list[CatalogFile]:
    """Leave out licence texts that no public source is known for: no reader needs them."""
    return [file for file in item.files if mirror or file.url or file.required]


def _fetch_all(chosen: Sequence[Dataset], to: Path, mirror: str | None) -> list[str]:
    failures = []
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bars, new_client() as client:
        size = sum(file.bytes for item in chosen for file in _wanted(item, mirror))
        total = bars.add_task("total", total=size)
        settled = 0
        for item in chosen:
            for file in _wanted(item, mirror):
                bar = bars.add_task(f"{item.source}/{file.name}", total=file.bytes)

                def show(here: int, bar: TaskID = bar, before: int = settled) -> None:
                    bars.update(bar, completed=here)
                    bars.update(total, completed=before + here)

                try:
                    fetch_file(client, address_of(item, file, mirror), to, item, file, show)
                except CounterpointError as fault:
                    failures.append(str(fault))
                    size -= file.bytes
                else:
                    settled += file.bytes
                bars.update(total, completed=settled, total=size)
                bars.remove_task(bar)
    return failures


@app.command()
def verify(names: Names = None, folder: Folder = None) -> None:
    """Check that datasets are here and are the catalog's, byte by byte.

    Example: [bold]counterpoint data verify arc fnc-1[/bold]
    """
    root = data_dir(folder)
    wrong = 0
    table = Table("file", "status")
    for item in choose(names or ()):
        state, files = dataset_state(root, item)
        wrong += state != "present"
        for name, file_state in files.items() if state != "present" else [("", state)]:
            colour = COLOURS[file_state]
            table.add_row(Text(f"{item.name}/{name}".rstrip("/")), Text(file_state, style=colour))
    Console().print(table)
    if wrong:
        typer.echo(f"{wrong} of {len(choose(names or ()))} datasets are not whole.", err=True)
        raise typer.Exit(1)
