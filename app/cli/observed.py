"""`counterpoint models shadow-report` and `drift-report`: what the running service has counted."""

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.bundles import AsJson, Root, bundles_of, settings_of
from app.cli.comparisons import comparison_json, show_comparison
from app.errors import ObservationsError

if TYPE_CHECKING:
    from app.observing.counts import Observations
    from app.observing.shadow import ShadowReport
    from app.settings import Settings
    from models.drift import DriftReference

__all__ = ["drift_report", "observed_of", "shadow_report"]

_Folder = Annotated[
    Path | None,
    typer.Option("--observations", help="Folder of counts.", show_default="COUNTERPOINT_OBSERVATIONS"),
]
_STYLES = {"steady": "", "watch": "yellow", "shifted": "bold red"}


def shadow_report(
    champion: Annotated[str | None, typer.Option(help="Only beside this version.")] = None,
    challenger: Annotated[str | None, typer.Option(help="Only this version.")] = None,
    folder: _Folder = None,
    as_json: AsJson = False,
) -> None:
    """Compare a challenger with the champion on the live traffic that both have scored.

    The service scores a sample with the challenger where COUNTERPOINT_CHALLENGER names one. Counts alone
    are kept, and no text.

    For example:

      counterpoint models shadow-report --challenger 2026.12.0
    """
    from app.observing.shadow import shadow_reports

    _, seen = _observed(None, folder)
    reports = list(shadow_reports(seen, champion=champion, challenger=challenger))
    if as_json:
        typer.echo(json.dumps([_shadow_json(one) for one in reports], indent=2))
        return
    if not reports:
        Console().print(
            "Nothing was compared yet: COUNTERPOINT_CHALLENGER names the challenger of a service."
        )
    for one in reports:
        days = f"{one.first_day} to {one.last_day}"
        found = comparison_json(one.comparison)
        show_comparison(Console(), days, one.champion, one.challenger, found)


def drift_report(
    version: Annotated[str | None, typer.Option(help="Only this version.", show_default="all")] = None,
    days: Annotated[int, typer.Option(min=1, help="So many days, today (UTC) included.")] = 14,
    folder: _Folder = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Tell how far each day's scores and languages were from what the version was calibrated on.

    The figure is the population stability index: below 0.1 steady, from 0.25 on a shift. What chance alone
    may do among so few comments counts as steady.

    For example:

      counterpoint models drift-report --days 30
    """
    settings, seen = _observed(root, folder)
    rows = _drift_rows(settings, seen, _first_of(days), version)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif rows:
        _show_drift(rows)
    else:
        Console().print("No comment was counted in these days.")


def observed_of(settings: "Settings", version: str, days: int) -> dict[str, Any]:
    """Return the drift of a version's traffic by day, and the challengers beside it; {} without a folder."""
    from app.observing.folder import read_observations
    from app.observing.shadow import shadow_reports

    if settings.observations is None or not settings.observations.is_dir():
        return {}
    seen = read_observations(settings.observations)
    drift = _drift_rows(settings, seen, _first_of(days), version)
    shadow = [_shadow_json(one) for one in shadow_reports(seen, champion=version)]
    return {"drift": drift, "shadow": shadow}


def _first_of(days: int) -> str:
    return (datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=days - 1)).isoformat()


def _observed(root: Path | None, folder: Path | None) -> "tuple[Settings, Observations]":
    from app.observing.folder import read_observations

    settings = settings_of(root)
    chosen = folder or settings.observations
    if chosen is None or not chosen.is_dir():
        raise ObservationsError(
            f"there is no folder of observations {chosen or ''}: name it with --observations"
        )
    return settings, read_observations(chosen)


def _drift_rows(
    settings: "Settings", seen: "Observations", first: str, version: str | None
) -> list[dict[str, Any]]:
    from app.observing.drift import drift_of_day

    rows: list[dict[str, Any]] = []
    for day, versions in sorted(seen.scores.items()):
        for name, counts in sorted(versions.items()):
            if day < first or version not in (None, name):
                continue
            row = {"day": day, "version": name, "comments": counts.comments, "languages": counts.languages}
            reference, note = _reference_of(name, settings)
            found = [] if reference is None else drift_of_day(counts, reference)
            row["drift"] = {
                one.name: {
                    "psi": round(one.psi, 4),
                    "by_chance": round(one.by_chance, 4),
                    "verdict": one.verdict,
                }
                for one in found
            }
            rows.append(row if note is None else row | {"note": note})
    return rows


def _reference_of(version: str, settings: "Settings") -> "tuple[DriftReference | None, str | None]":
    from models.drift import DriftReference
    from models.errors import BundleError
    from models.manifest import Manifest

    for folder in bundles_of(settings):
        if folder.name == version:
            try:
                reference = DriftReference.of(version, Manifest.read(folder).metrics)
            except BundleError as error:
                return None, str(error)
            return reference, "no reference in this bundle" if reference is None else None
    return None, "this bundle is not at hand"


def _show_drift(rows: list[dict[str, Any]]) -> None:
    from app.observing.drift import LANGUAGES
    from models import ATTRIBUTES

    names = (*ATTRIBUTES, LANGUAGES)
    table = Table(title="Population stability index (… may be chance)")
    table.add_column("Day, version", min_width=10, overflow="fold")
    for name in ("Comments", *names):
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = [Text(f"{row['day']} {row['version']}"), Text(str(row["comments"]))]
        if "note" in row:
            cells.append(Text(row["note"], style="dim"))
        else:
            cells += [_drift_cell(row["drift"].get(name)) for name in names]
        table.add_row(*cells)
    Console().print(table)


def _drift_cell(one: dict[str, Any] | None) -> Text:
    if one is None:
        return Text("–")
    chance = " …" if one["psi"] <= one["by_chance"] else ""
    return Text(f"{one['psi']:.3f}{chance}", style=_STYLES[one["verdict"]])


def _shadow_json(report: "ShadowReport") -> dict[str, Any]:
    return {
        "champion": report.champion,
        "challenger": report.challenger,
        "first_day": report.first_day,
        "last_day": report.last_day,
        **comparison_json(report.comparison),
    }
