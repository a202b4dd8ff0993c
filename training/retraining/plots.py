"""The plots of a retraining report: champion and challenger side by side; needs the extra `report`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.heldout import MAIN_SOURCE

__all__ = ["draw"]

Found = dict[str, Any]

_INK, _GREY, _PALE = "#22282e", "#8a949e", "#dfe4e8"
_CHAMPION, _CHALLENGER, _FAILED = "#8a949e", "#2f6690", "#b5483a"
_TITLES = {
    "auc": "ROC-AUC",
    "ece": "calibration error (lower is better)",
    "bpsn": "BPSN AUC by identity",
    "check": "functional checks",
    "stance": "stance",
}
_MOST = 30


def draw(found: Found, folder: Path) -> dict[str, Path]:
    """Draw what was measured, as PNG; return the plots' names and files."""
    folder.mkdir(parents=True, exist_ok=True)
    gates = [gate for verdict in found["verdicts"].values() for gate in verdict["gates"]]
    drawn = {}
    for name, figure in (("changes", _changes(gates)), ("reliability", _reliability(found["figures"]))):
        if figure is not None:
            drawn[name] = folder / f"{name}.png"
            figure.savefig(drawn[name], dpi=150, metadata={"Software": None})
    return drawn


def _changes(gates: Sequence[Found]) -> Figure | None:
    """A panel a kind of gate: a line from the champion's figure to the challenger's, worst first."""
    panels = {}
    for group, title in _TITLES.items():
        of_group = [gate for gate in gates if gate["group"] == group and gate["champion"] is not None]
        if of_group:
            panels[title] = sorted(of_group, key=lambda gate: gate["limit"] - gate["loss"])[:_MOST]
    if not panels:
        return None
    heights = [len(shown) + 2 for shown in panels.values()]
    figure = Figure(figsize=(9, 0.2 * sum(heights) + 0.8), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for one, (title, shown) in zip(axes, panels.items(), strict=True):
        _dumbbells(one, title, shown)
    figure.suptitle("champion (grey) and challenger (blue; red: beyond its limit)", fontsize=10, color=_INK)
    return figure


def _dumbbells(axes: Axes, title: str, gates: Sequence[Found]) -> None:
    for place, gate in enumerate(gates):
        colour = _CHALLENGER if gate["passed"] else _FAILED
        axes.plot([gate["champion"], gate["challenger"]], [place, place], color=colour, linewidth=1.2)
        axes.plot(gate["champion"], place, "o", color=_CHAMPION, markersize=5)
        axes.plot(gate["challenger"], place, "o", color=colour, markersize=3.5)
    axes.set_yticks(range(len(gates)), [gate["name"] for gate in gates], fontsize=6.5)
    axes.set_ylim(len(gates) - 0.4, -0.6)
    axes.set_title(title, loc="left", fontsize=9, color=_INK)
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(axis="x", color=_PALE, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _reliability(figures: Found) -> Figure | None:
    """The share of uncivil comments by probability, of both models."""
    both = {}
    for name in ("champion", "challenger"):
        of_set = figures.get("civility", {}).get(name, {}).get("held_out", {}).get(MAIN_SOURCE, {})
        bins = of_set.get("TOXICITY", {}).get("reliability")
        if bins:
            both[name] = bins
    if len(both) < 2:
        return None
    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, (name, bins) in zip(figure.subplots(1, 2, sharey=True), both.items(), strict=True):
        said, shown, _ = zip(*bins, strict=True)
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1)
        axes.plot(said, shown, "o-", color=_CHAMPION if name == "champion" else _CHALLENGER, linewidth=1.5)
        axes.set_title(f"{name}: TOXICITY, {MAIN_SOURCE}", loc="left", fontsize=9, color=_INK)
        axes.set_xlabel("probability said", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
