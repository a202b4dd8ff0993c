"""`counterpoint models diff`: what differs between two versions."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.bundles import AsJson, Root, find_bundle, settings_of
from app.cli.comparisons import comparison_json, show_comparison

if TYPE_CHECKING:
    from app.settings import Settings
    from models import Manifest

__all__ = ["diff"]

_MOST_FIGURES = 30


def diff(
    old: Annotated[str, typer.Argument(help="Version, or the path of a bundle.")],
    new: Annotated[str, typer.Argument(help="Version, or the path of a bundle.")],
    scores: Annotated[
        bool, typer.Option("--scores", help="Load both, and compare their scores of the example comments.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Every figure that changed, not the largest 30.")
    ] = False,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Tell what differs between two versions: files, training data, recipe, held-out figures, scores.

    For example:

      counterpoint models diff 2026.11.8 2026.12.0 --scores
    """
    from models import verify_bundle

    settings = settings_of(root)
    folders = find_bundle(old, settings), find_bundle(new, settings)
    before, after = (verify_bundle(folder, settings.trusted_keys) for folder in folders)
    found = _differences(before, after)
    if scores:
        found["scores"] = _score_differences(*folders, settings)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _show(found, before.version, after.version, every)


def _differences(before: "Manifest", after: "Manifest") -> dict[str, Any]:
    names = sorted(before.files.keys() | after.files.keys())
    return {
        "files": {name: _state(before.files.get(name), after.files.get(name)) for name in names},
        "languages": {
            "gone": sorted(set(before.languages) - set(after.languages)),
            "new": sorted(set(after.languages) - set(before.languages)),
        },
        "training_data": _changed(_rows(before), _rows(after)),
        "recipe": _changed(dict(_leaves(before.recipe)), dict(_leaves(after.recipe))),
        "metrics": _changed(dict(_leaves(before.metrics)), dict(_leaves(after.metrics))),
    }


def _state(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return "new" if before is None else "gone"
    return "same" if before == after else "changed"


def _rows(manifest: "Manifest") -> dict[str, Any]:
    return {str(entry.get("name")): entry.get("rows") for entry in manifest.training_data}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = sorted(before.keys() | after.keys())
    return {
        name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _score_differences(old: Path, new: Path, settings: "Settings") -> dict[str, Any]:
    """Compare the scores of the example comments, decisions and stance labels included."""
    from app.observing.counts import Comparison
    from app.observing.shadow import compare
    from app.reading import read_score_request
    from app.scorer import Scorer
    from data.examples import load_examples
    from models import load_bundle

    requests = [
        read_score_request(
            {"comment": {"text": comment.text}, "article": {"premise": thread.article.premise}}, settings
        )
        for thread in load_examples()
        for comment in thread.comments
    ]
    bundles = [load_bundle(folder, settings.trusted_keys) for folder in (old, new)]
    before, after = (Scorer(bundle, settings).score(requests) for bundle in bundles)
    comparison = Comparison()
    for one, other in zip(before, after, strict=True):
        compare(comparison, one, other)
    return comparison_json(comparison)


def _show(found: dict[str, Any], old: str, new: str, every: bool) -> None:
    console = Console()
    files = Table("File", f"{old} → {new}", title="Files")
    for name, state in found["files"].items():
        files.add_row(Text(name), Text(state))
    console.print(files)
    for side, languages in found["languages"].items():
        if languages:
            console.print(Text(f"languages {side}: {' '.join(languages)}"))
    for section, title in (("training_data", "Rows of training data"), ("recipe", "Recipe")):
        if found[section]:
            console.print(_pairs(title, old, new, found[section]))
    _show_figures(console, found["metrics"], old, new, every)
    if not any((found["recipe"], found["metrics"], found["training_data"])):
        console.print("Data, recipe and figures are the same.")
    if "scores" in found:
        show_comparison(console, "Example comments", old, new, found["scores"])


def _show_figures(
    console: Console, changed: Mapping[str, list[Any]], old: str, new: str, every: bool
) -> None:
    figures = {
        name: pair for name, pair in changed.items() if all(isinstance(one, int | float) for one in pair)
    }
    largest = sorted(figures, key=lambda name: -_relative_change(*figures[name]))
    shown = largest if every else largest[:_MOST_FIGURES]
    if shown:
        console.print(_pairs("Held-out figures", old, new, {name: figures[name] for name in shown}))
    if hidden := len(changed) - len(shown):
        console.print(Text(f"{hidden} more figures changed, appeared or went: --all, --json"))


def _relative_change(before: float, after: float) -> float:
    return abs(after - before) / max(abs(before), abs(after), 1e-9)


def _pairs(title: str, old: str, new: str, pairs: Mapping[str, list[Any]]) -> Table:
    table = Table("", old, new, title=title)
    for name, pair in pairs.items():
        table.add_row(*(Text("–" if cell is None else str(cell)) for cell in (name, *pair)))
    return table
