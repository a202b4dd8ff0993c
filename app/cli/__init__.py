"""The command line: `counterpoint`."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from app.cli.compare import compare
from app.cli.data import app as data_app
from app.cli.evaluate import evaluate
from app.cli.feedback import feedback
from app.cli.keys import app as keys_app
from app.cli.models import app as models_app
from app.cli.rescore import rescore
from app.cli.retrain import retrain
from app.cli.score import score
from app.cli.serve import serve
from app.cli.store import app as store_app
from app.cli.train import train
from counterpoint import CounterpointError, __version__

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Scores reader comments: how civil they are, and whether they agree or disagree with the "
    "premise of the article under which they stand.\n\n"
    "Start with: [bold]counterpoint score --thread data/examples/bike-lane.json[/bold]",
)
app.command("serve")(serve)
app.command("score")(score)
app.command("train")(train)
app.command("evaluate")(evaluate)
app.command("retrain")(retrain)
app.command("compare")(compare)
app.command("rescore")(rescore)
app.command("feedback")(feedback)
app.add_typer(data_app, name="data")
app.add_typer(keys_app, name="keys")
app.add_typer(models_app, name="models")
app.add_typer(store_app, name="store")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"counterpoint {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line; an error that is ours is one line on standard error and exit status 1."""
    try:
        app()
    except CounterpointError as error:
        Console(stderr=True, soft_wrap=True).print(
            f"error: {error}", style="red", markup=False, highlight=False
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
