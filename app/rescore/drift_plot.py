"""The plot of a drift; needs the extra `report`."""

from pathlib import Path

from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from app.rescore.drift import Drift

__all__ = ["draw_drift"]

_COLUMNS, _ROWS = 3, 2
_PANEL_INCHES = 3.2


def draw_drift(drift: Drift, path: Path) -> None:
    """Draw a panel an attribute as PNG: how many comments got which score before (across) and now (up)."""
    figure = Figure(figsize=(_PANEL_INCHES * _COLUMNS, _PANEL_INCHES * _ROWS), layout="constrained")
    panels = figure.subplots(_ROWS, _COLUMNS, squeeze=False)
    for panel, (name, counts) in zip(panels.flat, drift.joint.items(), strict=True):
        if counts.any():
            norm = LogNorm(vmin=1, vmax=max(int(counts.max()), 2))
            panel.imshow(counts.T, origin="lower", extent=(0, 1, 0, 1), norm=norm, cmap="Blues")
        panel.plot([0, 1], [0, 1], color="#8a949e", linestyle="--", linewidth=0.8)
        correlation = drift.correlations[name]
        told = "" if correlation is None else f" (r = {correlation:.3f})"
        panel.set_title(f"{name}{told}", fontsize=9, loc="left")
        panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        panel.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("old")
    figure.supylabel("new")
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
