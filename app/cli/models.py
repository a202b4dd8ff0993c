"""`counterpoint models`: the bundles at hand, what is in them, whether they can be trusted."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from models import Manifest

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The bundles at hand: list, show and verify them.\n\n"
    "A bundle is a folder of two serialized models and a manifest with their digests.\n\n"
    "Example: [bold]counterpoint models show[/bold]",
)

Root = Annotated[
    Path | None, typer.Option("--releases", help="Folder of bundles.", show_default="the shipped ones")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Version = Annotated[
    str | None,
    typer.Argument(help="Version, or the path of a bundle. Default: the newest.", show_default=False),
]


@app.command("list")
def list_(root: Root = None, as_json: AsJson = False) -> None:
    """List the bundles, oldest first, and whether each can be trusted."""
    found = [(path, *_checked(path)) for path in _bundles(root)]
    if as_json:
        typer.echo(
            json.dumps(
                [{"version": path.name, "path": str(path), "problem": problem} for path, _, problem in found]
            )
        )
        return
    table = Table("Version", "Created", "Languages", "State")
    for path, manifest, problem in found:
        created, languages = (manifest.created, " ".join(manifest.languages)) if manifest else ("", "")
        _add_row(table, path.name, created, languages, problem or "verified")
    Console().print(table)


@app.command()
def show(version: Version = None, root: Root = None, as_json: AsJson = False) -> None:
    """Show a bundle: what it was trained on, how, and its held-out figures."""
    from models import verify_bundle

    manifest = verify_bundle(_find(version, root))
    if as_json:
        typer.echo(manifest.to_json(), nl=False)
        return
    console = Console()
    origin = f", created {manifest.created}, for {' '.join(manifest.languages)}"
    console.print(Text.assemble((manifest.version, "bold"), origin))
    libraries = ", ".join(f"{name} {number}" for name, number in manifest.libraries.items())
    console.print(Text(f"made with {libraries}"))
    data = Table("Dataset", "Licence", "Rows", title="Training data")
    for entry in manifest.training_data:
        _add_row(data, entry.get("name"), entry.get("licence"), entry.get("rows"))
    console.print(data)
    for table in (_civility_table(manifest), *_stance_tables(manifest)):
        console.print(table)


@app.command()
def verify(version: Version = None, root: Root = None) -> None:
    """Check every digest, the list of files and the library versions, loading nothing.

    Exit status: 0 when the bundle can be trusted, 1 when not.
    """
    from models import verify_bundle

    manifest = verify_bundle(_find(version, root))
    Console(soft_wrap=True).print(Text(f"{manifest.version}: {len(manifest.files)} files verified"))


# Importing the models takes a second or two, which --help need not wait for.


def _bundles(root: Path | None) -> list[Path]:
    from models import RELEASES, list_bundles

    return list_bundles(root or RELEASES)


def _find(version: str | None, root: Path | None) -> Path:
    from models.errors import BundleNotFoundError

    found = _bundles(root)
    for path in reversed(found):
        if version is None or path.name == version:
            return path
    if version is not None and Path(version).is_dir():
        return Path(version)
    wanted = f"bundle {version}" if version else "bundle"
    raise BundleNotFoundError(
        f"there is no {wanted} in {root or 'the releases'}: see `counterpoint models list`"
    )


def _checked(path: Path) -> "tuple[Manifest | None, str | None]":
    from models import verify_bundle
    from models.errors import BundleError

    try:
        return verify_bundle(path), None
    except BundleError as error:
        return None, str(error)


def _add_row(table: Table, *cells: object) -> None:
    # What a manifest says is shown and never obeyed as markup.
    table.add_row(*(Text(str(cell)) for cell in cells))


def _civility_table(manifest: "Manifest") -> Table:
    figures: dict[str, Any] = manifest.metrics.get("civility", {}).get("sources", {})
    table = Table(
        "Dataset", "Attribute", "Rows", "Positive", "ROC-AUC", "AP", "ECE", title="Civility, test split"
    )
    for source, of_source in figures.items():
        for attribute, one in of_source.items():
            if isinstance(one, dict) and "roc_auc" in one:
                values = (one[name] for name in ("n", "positives", "roc_auc", "average_precision", "ece"))
                _add_row(table, source, attribute, *values)
    return table


def _stance_tables(manifest: "Manifest") -> list[Table]:
    columns = {
        "n": "Rows",
        "macro_f1": "macro-F1",
        "majority_macro_f1": "majority",
        "agree_disagree_auc": "AUC a/d",
        "relevance_auc": "relevance",
        "decided": "decided",
        "decided_accuracy": "right of decided",
    }
    tables = []
    for variant, title in (
        ("with_encoder", "Stance, test split"),
        ("words_only", "Stance without the encoder"),
    ):
        figures: dict[str, Any] = manifest.metrics.get("stance", {}).get(variant, {})
        if figures:
            table = Table("Dataset", *columns.values(), title=title)
            for source, one in figures.items():
                _add_row(table, source, *(one.get(name, "") for name in columns))
            tables.append(table)
    return tables
