"""A comparison of two versions, as JSON and as tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from app.observing.counts import Comparison

__all__ = ["comparison_json", "show_comparison"]


def comparison_json(comparison: "Comparison") -> dict[str, Any]:
    """Return a comparison as plain values; agreements are a share and its 95 % interval, or None."""
    from app.observing.counts import DIFFERENCE_EDGES
    from app.observing.shadow import agreement

    return {
        "comments": comparison.comments,
        "left_out": comparison.left_out,
        "failed": comparison.failed,
        "decision_agreement": agreement(comparison.decisions),
        "stance_agreement": agreement(comparison.stances),
        "decisions": comparison.decisions,
        "stances": comparison.stances,
        "difference_edges": DIFFERENCE_EDGES,
        "attributes": {
            name: {
                "mean": round(one.sum / one.comments, 4),
                "mean_absolute": round(one.sum_of_absolutes / one.comments, 4),
                "bins": one.bins,
            }
            for name, one in comparison.attributes.items()
        },
    }


def show_comparison(
    console: Console, title: str, champion: str, challenger: str, found: dict[str, Any]
) -> None:
    """Print what `comparison_json` gave: agreement, differences of scores, decisions and stance labels."""
    console.print(Text.assemble((f"{challenger} beside {champion}", "bold"), f" – {title}"))
    console.print(
        Text(f"{found['comments']} comments; {found['left_out']} left out, {found['failed']} failed")
    )
    for what in ("decision", "stance"):
        if (share := found[f"{what}_agreement"]) is not None:
            console.print(Text(f"the same {what}: {share[0]:.1%} (95 %: {share[1]:.1%} to {share[2]:.1%})"))
    edges = found["difference_edges"]
    moved = Table(
        "Attribute", "Mean change", "Mean distance", *(f"≥ {edge:g}" for edge in edges), title="Scores"
    )
    for name, one in found["attributes"].items():
        counted = sum(one["bins"])
        beyond = [f"{sum(one['bins'][place:]) / counted:.1%}" for place in range(1, len(edges) + 1)]
        moved.add_row(name, f"{one['mean']:+.4f}", f"{one['mean_absolute']:.4f}", *beyond)
    console.print(moved)
    for what in ("decisions", "stances"):
        if found[what]:
            console.print(_cross_table(what.capitalize(), champion, challenger, found[what]))


def _cross_table(
    title: str, champion: str, challenger: str, counted: Mapping[str, Mapping[str, int]]
) -> Table:
    columns = sorted({name for row in counted.values() for name in row} | counted.keys())
    table = Table(f"{champion} ↓  {challenger} →", *columns, title=title)
    for name in columns:
        row = counted.get(name, {})
        table.add_row(Text(name), *(str(row.get(column, 0)) for column in columns))
    return table
