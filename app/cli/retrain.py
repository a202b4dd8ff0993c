"""`counterpoint retrain`: learn from feedback, publish a release or refuse to."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.bundles import active_version, settings_of
from app.cli.observed import observed_of
from app.cli.stages import Stages

if TYPE_CHECKING:
    from app.settings import Settings
    from data.feedback import Opinion

__all__ = ["REFUSED", "retrain"]

REFUSED = 3
"""Exit status where the gates hold a challenger back."""

_TIMEOUT_S = 60.0
_OBSERVED_DAYS = 14


def retrain(
    feedback: Annotated[
        Path | None,
        typer.Option(
            help="Feedback as JSON lines (.gz too), as `counterpoint store export` writes it.",
            show_default="the database, COUNTERPOINT_DATABASE_URL",
        ),
    ] = None,
    report: Annotated[
        Path, typer.Option(help="Folder of the report; an earlier report there is written over.")
    ] = Path("retraining-report"),
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the datasets.", show_default="COUNTERPOINT_DATA_DIR, or none where that is unset"
        ),
    ] = None,
    without_base_data: Annotated[
        bool, typer.Option("--without-base-data", help="Leave the datasets out where there are some.")
    ] = False,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit", help="Fit all around the encoders anew, on datasets and feedback: takes far longer."
        ),
    ] = False,
    releases: Annotated[
        Path | None,
        typer.Option(help="Folder that gets the release.", show_default="COUNTERPOINT_RELEASES"),
    ] = None,
    champion: Annotated[
        str | None,
        typer.Option(help="Version or folder of the bundle to improve.", show_default="the active release"),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with values for weights, guards and gates.", show_default="the defaults"
        ),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of the release.", show_default="the next: year.month.number")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="Judge on at most so many rows a set: a quick look.", show_default="all"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge and report, publish nothing.")] = False,
    plots: Annotated[
        bool, typer.Option("--plots/--no-plots", help="Draw plots (the extra \\[report]).")
    ] = True,
    without_key_id: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Leave out what came with this API key, by its id; may be given several times.",
            show_default=False,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Dask scheduler for the parallel parts (the extra \\[cluster]): tcp://host:8786."),
    ] = None,
) -> None:
    """Learn from feedback; publish a release if it is better and nothing is worse, or refuse.

    The champion is continued with feedback; its encoders stay. No datasets are needed. With them, more is
    held where it was, and champion and challenger are judged on their held-out rows too. docs/retraining.md
    tells the gates. Publishing activates nothing.

    Exit status: 0 published (with --dry-run: would be), 3 refused by the gates, 1 an error, 2 wrong usage.

    For example:

      counterpoint retrain --data-dir datasets --releases releases

      counterpoint retrain --feedback feedback.jsonl --dry-run
    """
    from data.feedback import read_feedback
    from models.bundle import check_version
    from training.retraining import RetrainingOrder, RetrainingSettings
    from training.retraining import retrain as run
    from training.retraining.report import check_report

    if without_base_data and data_dir is not None:
        raise typer.BadParameter("leave out --data-dir, or --without-base-data", param_hint="--data-dir")
    datasets = None if without_base_data else _datasets(data_dir)
    if refit and datasets is None:
        raise typer.BadParameter("needs the datasets: name them with --data-dir", param_hint="--refit")
    check_report(report, plots=plots)
    if version is not None:
        check_version(version)
    chosen = RetrainingSettings.read(settings)
    service = settings_of(releases)
    improved = _champion(champion, service)
    order = RetrainingOrder(
        champion=improved,
        releases=service.releases,
        report=report,
        data_dir=datasets,
        without_keys=without_key_id or [],
        refit=refit,
        settings=chosen,
        version=version,
        sample=sample,
        dry_run=dry_run,
        plots=plots,
        scheduler=scheduler,
        trusted_keys=service.trusted_keys,
        observed=observed_of(service, improved.name, _OBSERVED_DAYS),
        before_publishing=lambda: _keep_active(service),
    )
    errors = Console(stderr=True)
    opinions = _stored() if feedback is None else read_feedback(feedback)
    with Stages(errors) as stages:
        outcome = run(order, opinions, stages.report)
    _show(Console(), outcome.found)
    errors.print(f"report in {report}", soft_wrap=True, markup=False)
    if outcome.version is None:
        raise typer.Exit(REFUSED)


def _datasets(chosen: Path | None) -> Path | None:
    """The folder that is named here or in the environment; None where none is."""
    from data.folder import DATA_DIR_VARIABLE
    from data.folder import data_dir as find_data

    return find_data(chosen) if chosen is not None or os.environ.get(DATA_DIR_VARIABLE) else None


def _stored() -> "list[Opinion]":
    """Every opinion in the database, with the text and premise of the comment it is about.

    Those that newer ones replace come too: which replaces which depends on the keys that are left out.
    """
    from app.settings import load_settings
    from app.store import Store
    from app.store.address import database_url
    from data.feedback import Opinion
    from data.rows import ATTRIBUTES

    store = Store(database_url(load_settings()), timeout_s=_TIMEOUT_S)
    try:
        return [
            Opinion(
                text=one.text,
                source=one.feedback.source,
                received=one.feedback.received,
                labels={
                    name: one.feedback.scores[name] for name in ATTRIBUTES if name in one.feedback.scores
                },
                stance=one.feedback.stance,
                premise=one.premise,
                role=one.feedback.role,
                community=one.feedback.community_id,
                client_token=one.feedback.client_token,
                key_id=one.feedback.key_id,
                article_id=one.feedback.article_id,
                article_url=one.feedback.article_url,
                languages=tuple(one.feedback.languages),
                uid=one.uid,
            )
            for one in store.judged.iterate(every=True)
            if one.text is not None
        ]
    finally:
        store.close()


def _champion(named: str | None, service: "Settings") -> Path:
    """The folder of the bundle that is named, or else of the one in use, or else of the newest that ships."""
    from models import RELEASES, latest_bundle

    version = named or active_version(service)
    if version is None:
        return latest_bundle()
    for folder in (service.releases / version, Path(version), RELEASES / version):
        if folder.is_dir():
            return folder
    return service.releases / version  # which loading it will say is missing


def _keep_active(service: "Settings") -> None:
    """Write down what is in use, where that was never said: else a service that starts takes the newest."""
    from app.releases.active import active_file_of

    with active_file_of(service.releases, service.active_file).change() as change:
        version = active_version(service)
        if change.history is None and version is not None:
            change.activate(version, None)


def _show(console: Console, found: dict[str, Any]) -> None:
    from training.retraining.report import named_source

    for task, verdict in found["verdicts"].items():
        table = Table(title=f"{task}: {'passed' if verdict['passed'] else 'refused'}", title_justify="left")
        for name in ("gate", "of", "champion", "challenger", "worse by", "allowed", "by chance"):
            table.add_column(name, justify="left" if name in ("gate", "of") else "right")
        telling = [gate for gate in verdict["gates"] if not gate["passed"] or gate["group"] == "feedback"]
        for gate in telling:
            figures = (gate[name] for name in ("champion", "challenger", "loss", "limit", "by_chance"))
            shown = ("–" if one is None else f"{one:.4f}" for one in figures)
            table.add_row(gate["group"], Text(f"{gate['name']} {gate['note']}".strip()), *shown)
        console.print(table)
    for source in found["feedback"]["sources"]:
        if source["left_out"]:
            told = f"left out: {named_source(source)}: {source['left_out']}"
            console.print(Text(told, style="yellow"))
    what = f" {found['challenger']}" if found["retrained"] else ""
    console.print(Text(f"{found['decision']}{what}", style="bold"))
