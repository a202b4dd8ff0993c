"""`counterpoint train`: build a bundle from the datasets."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.logging import RichHandler

from app.cli.bundles import find_bundle, settings_of
from app.cli.stages import Stages

__all__ = ["train"]


def train(
    output: Annotated[
        Path, typer.Option(help="Folder of the new bundle. Its name becomes the version; it must not exist.")
    ],
    only: Annotated[
        Literal["civility", "stance"] | None,
        typer.Option(help="Train one model, take the other from --base.", show_default="both"),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the datasets.", show_default="COUNTERPOINT_DATA_DIR"),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(help="Bundle to take the rest from.", show_default="the newest release"),
    ] = None,
    encoder: Annotated[
        Literal["fine-tune", "further", "keep", "none"],
        typer.Option(
            help="The encoder of each model: train it (needs the extra \\[train]; about an hour each on "
            "two cores, goes on where it was interrupted), teach that of --base further (a third of "
            "that), keep it, or do without."
        ),
    ] = "fine-tune",
    scratch: Annotated[Path, typer.Option(help="Folder for checkpoints.")] = Path("runs"),
) -> None:
    """Train both models, judge them on held-out data, and save them as a bundle.

    The datasets are those of `counterpoint data list`; `counterpoint data fetch` gets them. The same
    data and settings give the same predictions. Figures go into the bundle's manifest.

    For example:

      counterpoint train --output models/releases/2026.12.0 --data-dir datasets

      counterpoint train --output /tmp/next --only civility
    """
    from data import data_dir as find_data
    from training.build import FROM_BASE, Order, build

    needs_base = only is not None or encoder in FROM_BASE
    settings = settings_of(None)
    chosen_base = base or (find_bundle(None, settings) if needs_base else None)
    keys = settings.trusted_keys
    order = Order(find_data(data_dir), output, only, chosen_base, encoder, scratch=scratch, trusted_keys=keys)
    console = Console(stderr=True)
    log = logging.getLogger("counterpoint")
    log.setLevel(logging.INFO)
    shown = RichHandler(console=console, show_path=False)
    log.addHandler(shown)
    try:
        with Stages(console) as stages:
            manifest = build(order, stages.report)
    finally:
        log.removeHandler(shown)
    console.print(f"saved {manifest.version} in {output}", soft_wrap=True, markup=False)
    console.print(f"its figures: counterpoint models show {output}", soft_wrap=True, markup=False)
