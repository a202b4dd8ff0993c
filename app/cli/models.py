"""`counterpoint models`: the bundles at hand, what is in them, which one is used, and how it fares."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.bundles import AsJson, Root, Version, active_version, bundles_of, find_bundle, settings_of
from app.cli.differences import diff
from app.cli.observed import drift_report, shadow_report
from app.cli.releases import activate, rollback
from app.cli.restating import restate
from app.cli.signing import keygen, sign

if TYPE_CHECKING:
    from app.settings import Settings
    from models import Manifest

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The bundles at hand: look at them, put one to use, see how it fares.\n\n"
    "A bundle is a folder of two serialized models and a manifest with their digests. docs/releases.md "
    "tells how a newsroom goes from one to the next.\n\n"
    "Example: [bold]counterpoint models show[/bold]",
)


@app.command("list")
def list_(root: Root = None, as_json: AsJson = False) -> None:
    """List the bundles, oldest first, whether each can be trusted, and which one is to be served."""
    settings = settings_of(root)
    active = active_version(settings)
    found = [(path, *_checked(path, settings)) for path in bundles_of(settings)]
    if as_json:
        listed = [
            {"version": path.name, "path": str(path), "active": path.name == active, "problem": problem}
            for path, _, problem in found
        ]
        typer.echo(json.dumps(listed))
        return
    table = Table("Version", "Created", "Languages", "State")
    for path, manifest, problem in found:
        created, languages = (manifest.created, " ".join(manifest.languages)) if manifest else ("", "")
        state = problem or ("verified, active" if path.name == active else "verified")
        _add_row(table, path.name, created, languages, state)
    Console().print(table)


@app.command()
def show(version: Version = None, root: Root = None, as_json: AsJson = False) -> None:
    """Show a bundle: what it was trained on, how, and its held-out figures."""
    from models import verify_bundle

    settings = settings_of(root)
    manifest = verify_bundle(find_bundle(version, settings), settings.trusted_keys)
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

    Where COUNTERPOINT_TRUSTED_KEYS is set, the signature too.

    Exit status: 0 when the bundle can be trusted, 1 when not.
    """
    from models import verify_bundle

    settings = settings_of(root)
    manifest = verify_bundle(find_bundle(version, settings), settings.trusted_keys)
    Console(soft_wrap=True).print(Text(f"{manifest.version}: {len(manifest.files)} files verified"))


app.command("activate")(activate)
app.command("rollback")(rollback)
app.command("diff")(diff)
app.command("keygen")(keygen)
app.command("sign")(sign)
app.command("shadow-report")(shadow_report)
app.command("drift-report")(drift_report)
app.command("restate")(restate)


# Importing the models takes a second or two, which --help need not wait for.


def _checked(path: Path, settings: "Settings") -> "tuple[Manifest | None, str | None]":
    from models import verify_bundle
    from models.errors import BundleError

    try:
        return verify_bundle(path, settings.trusted_keys), None
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
