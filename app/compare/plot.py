"""The scatter plot of a comparison; needs the extra `report`."""

import math
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from app.compare.agreement import score_pairs
from app.compare.asking import Comparison

__all__ = ["draw"]

_COLUMNS = 3
_PANEL_INCHES = 3.2
_TINT = "#f6e3df"


def draw(comparison: Comparison, threshold: float, path: Path) -> None:
    """Draw a panel an attribute as PNG: each text a dot, the left score across, the right one up.

    Dots on the dashed line got the same score; those in the tinted corners change the decision.
    """
    names = comparison.attributes
    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(_PANEL_INCHES * columns, _PANEL_INCHES * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel in panels.flat[len(names) :]:
        panel.set_visible(False)
    for panel, name in zip(panels.flat, names, strict=False):
        _, scores = score_pairs(comparison, name)
        for corner, width, height in (
            ((0.0, threshold), threshold, 1 - threshold),
            ((threshold, 0.0), 1 - threshold, threshold),
        ):
            panel.add_patch(Rectangle(corner, width, height, color=_TINT, linewidth=0))
        panel.plot([0, 1], [0, 1], color="#8a949e", linestyle="--", linewidth=0.8)
        panel.scatter(scores[:, 0], scores[:, 1], s=9, color="#2f6690", alpha=0.45, linewidths=0)
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        panel.set_title(f"{name} ({len(scores):,})", fontsize=10, loc="left")
        panel.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("left")
    figure.supylabel("right")
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
