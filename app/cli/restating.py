"""`counterpoint models restate`: the same models, with their error rates measured anew."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.bundles import Root, Version, find_bundle, settings_of
from app.cli.stages import Stages

__all__ = ["restate"]


def restate(
    output: Annotated[
        Path, typer.Option(help="Folder of the new bundle. Its name becomes the version; it must not exist.")
    ],
    version: Version = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the datasets.", show_default="COUNTERPOINT_DATA_DIR"),
    ] = None,
    root: Root = None,
) -> None:
    """Measure a bundle's error rates and reference of drift anew; save the same models as a new version.

    For bundles that lack them: an article's summary then corrects its counts, and drift is told. Nothing is
    trained.

    For example:

      counterpoint models restate 2026.11.8 --output models/releases/2026.12.0 --data-dir datasets
    """
    from data import data_dir as find_data
    from training.restating import restate as run

    settings = settings_of(root)
    console = Console(stderr=True)
    with Stages(console) as stages:
        manifest = run(
            find_bundle(version, settings),
            output,
            find_data(data_dir),
            trusted_keys=settings.trusted_keys,
            progress=stages.report,
        )
    console.print(f"saved {manifest.version} in {output}", soft_wrap=True, markup=False)
