"""The plots of a report, each drawn from metrics.json alone; needs the extra `report`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models import ATTRIBUTES
from training.heldout import MAIN_SOURCE

__all__ = ["draw", "draw_stance"]

Found = dict[str, Any]

_INK, _GREY, _PALE = "#22282e", "#8a949e", "#dfe4e8"
_BLUE, _RED, _OCHRE = "#2f6690", "#b5483a", "#c08a2e"
_WIDTH = 9.0
_TICKS = (0.0, 0.5, 1.0)
_STYLE: Any = {
    "font.size": 10.5,
    "font.family": "DejaVu Sans",
    "text.color": _INK,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "xtick.color": _INK,
    "ytick.color": _INK,
    "savefig.dpi": 150,
}


def draw(civility: Found, folder: Path) -> dict[str, Path]:
    """Draw what the sections at hand allow, as PNG.

    Args:
        civility: the sections of metrics.json on civility.
        folder: made where it does not exist.

    Returns:
        The plots' names and files.
    """
    wanted: dict[str, tuple[str, Callable[[Found], Figure | None]]] = {
        "roc": ("heldOut", _roc),
        "precision_recall": ("heldOut", _precision_recall),
        "reliability": ("heldOut", _reliability),
        "distributions": ("heldOut", _distributions),
        "checks": ("checks", _checks),
        "evasion": ("evasion", _evasion),
        "cascade": ("cascade", _cascade),
        "identities": ("bias", _identities),
    }
    return _drawn(wanted, civility, folder)


def draw_stance(stance: Found, folder: Path) -> dict[str, Path]:
    """Draw what the sections at hand allow, as `draw` does, from the sections of metrics.json on stance."""
    wanted: dict[str, tuple[str, Callable[[Found], Figure | None]]] = {
        "stance_checks": ("checks", _stance_checks),
        "stance_reliability": ("calibration", _stance_reliability),
        "stance_risk_coverage": ("riskCoverage", _risk_coverage),
    }
    return _drawn(wanted, stance, folder)


def _drawn(
    wanted: dict[str, tuple[str, Callable[[Found], Figure | None]]], sections: Found, folder: Path
) -> dict[str, Path]:
    drawn = {}
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        for name, (section, make) in wanted.items():
            made = make(sections[section]) if section in sections else None
            if made is not None:
                drawn[name] = folder / f"{name.replace('_', '-')}.png"
                made.savefig(drawn[name], metadata={"Software": None})
    return drawn


def _roc(section: Found) -> Figure | None:
    def panel(axes: Axes, name: str, one: Found, colour: str, line: int) -> None:
        x, y = np.array(one["curves"]["roc"]).T
        axes.plot(np.maximum(x, 1e-4), y, color=colour, linewidth=1.8)
        axes.text(
            0.97, 0.08 + 0.11 * line, f"AUC {one['roc_auc']:.3f}", color=colour, ha="right", **_inside(axes)
        )

    made = _by_attribute(section, panel, "share of civil comments flagged", "share of uncivil found")
    if made is not None:
        for axes in made.axes:
            axes.set_xscale("log")
            axes.set_xlim(1e-4, 1)
            axes.set_xticks([1e-3, 1e-2, 1e-1], ["0.1 %", "1 %", "10 %"])
            axes.set_ylim(0, 1.02)
    return made


def _precision_recall(section: Found) -> Figure | None:
    def panel(axes: Axes, name: str, one: Found, colour: str, line: int) -> None:
        x, y = np.array(one["curves"]["precision_recall"]).T
        axes.plot(x, y, color=colour, linewidth=1.8)
        stated = f"AP {one['average_precision']:.3f}"
        axes.text(0.04, 0.08 + 0.11 * line, stated, color=colour, **_inside(axes))

    made = _by_attribute(
        section, panel, "share of uncivil comments found", "share of flagged that are uncivil"
    )
    if made is not None:
        for axes in made.axes:
            axes.set_xlim(0, 1.02)
            axes.set_ylim(0, 1.02)
            axes.set_xticks(_TICKS, ["0", "0.5", "1"])
    return made


def _reliability(section: Found) -> Figure | None:
    def panel(axes: Axes, name: str, one: Found, colour: str, line: int) -> None:
        predicted, observed, rows = np.array(one["reliability"]).T
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1.2, zorder=0)
        axes.plot(predicted, observed, color=colour, linewidth=1, alpha=0.6)
        axes.scatter(predicted, observed, s=6 + 9 * np.log10(rows), color=colour, zorder=2)
        axes.text(
            0.97, 0.06 + 0.11 * line, f"ECE {one['ece']:.3f}", color=colour, ha="right", **_inside(axes)
        )

    made = _by_attribute(section, panel, "predicted probability", "share that is uncivil")
    if made is not None:
        for axes in made.axes:
            axes.set_xlim(-0.02, 1.02)
            axes.set_ylim(-0.02, 1.02)
            axes.set_xticks(_TICKS, ["0", "0.5", "1"])
    return made


def _distributions(section: Found) -> Figure | None:
    edges = np.linspace(0, 1, 21)

    def panel(axes: Axes, name: str, one: Found, colour: str, line: int) -> None:
        for label, own in (("negative", _BLUE), ("positive", _RED)):
            counts = np.array(one["histogram"][label], dtype=float)
            shares = counts / max(counts.sum(), 1)
            axes.stairs(shares, edges, color=own, linewidth=1.6, fill=False)
        axes.text(0.5, 0.95, "labelled no", color=_BLUE, ha="right", va="top", **_inside(axes))
        axes.text(0.55, 0.95, "labelled yes", color=_RED, ha="left", va="top", **_inside(axes))

    made = _by_attribute(section, panel, "predicted probability", "share of comments", last_only=True)
    if made is not None:
        for axes in made.axes:
            axes.set_yscale("log")
            axes.set_ylim(1e-4, 4)
            axes.set_xlim(0, 1)
            axes.set_xticks(_TICKS, ["0", "0.5", "1"])
    return made


def _checks(section: Found) -> Figure | None:
    *others, last = section["variants"].values()
    names = sorted(last["functions"], key=lambda name: (last["functions"][name]["rate"] or 0.0, name))[::-1]
    functions = [last["functions"][name] for name in names]
    made, axes = _one_panel(0.9 + 0.21 * len(names))
    for place, (name, one) in enumerate(zip(names, functions, strict=True)):
        rate = one["rate"] or 0.0
        axes.barh(place, rate, color=_colour_of(one), height=0.7)
        axes.text(1.02, place, f"{100 * rate:.0f} %", va="center", fontsize=9)
        for other in others:
            axes.plot(
                [other["functions"][name]["rate"]] * 2,
                [place - 0.35, place + 0.35],
                color=_INK,
                linewidth=1.6,
                clip_on=False,
            )
    axes.set_yticks(range(len(names)), [one["title"] for one in functions], fontsize=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    _percent_axis(axes)
    kinds = [("civil sentences", _BLUE), ("toxic sentences", _RED), ("both", _OCHRE)]
    keys = [(title, colour) for title, colour in kinds if colour in set(map(_colour_of, functions))]
    _key(axes, [*keys, *([("stroke: fast stage alone", _INK)] if others else [])])
    return made


def _colour_of(function: Found) -> str:
    if not function["toxic"]["cases"]:
        return _BLUE
    return _OCHRE if function["civil"]["cases"] else _RED


def _evasion(section: Found) -> Figure | None:
    variants = section["variants"]
    made = Figure(figsize=(_WIDTH, 1.3 + 0.36 * len(section["variants"][next(iter(variants))]["kinds"])))
    made.set_layout_engine("constrained")
    panels = np.atleast_1d(made.subplots(1, len(variants), sharey=True, sharex=True))
    *_, last = variants.values()
    kinds = sorted(last["kinds"], key=lambda kind: last["kinds"][kind]["1.0"]["roc_auc"], reverse=True)
    for axes, (variant, one) in zip(panels, variants.items(), strict=True):
        before = one["before"]["roc_auc"]
        axes.axvline(before, color=_GREY, linewidth=1.2, zorder=0)
        for place, kind in enumerate(kinds):
            half, whole = (one["kinds"][kind][share]["roc_auc"] for share in ("0.5", "1.0"))
            axes.plot([min(half, whole, before), before], [place, place], color=_PALE, linewidth=3, zorder=0)
            axes.scatter([half], [place], color=_OCHRE, s=32, zorder=2)
            axes.scatter([whole], [place], color=_RED, s=32, zorder=3)
        axes.set_yticks(range(len(kinds)), [kind.replace("_", " ").replace("-", " ") for kind in kinds])
        axes.set_xlabel(f"ROC-AUC of TOXICITY ({variant})")
        axes.set_ylim(-0.6, len(kinds) - 0.4)
        _key(axes, [("undisguised", _GREY), ("half of the words", _OCHRE), ("all words", _RED)])
    return made


def _cascade(section: Found) -> Figure | None:
    shares = section["shares"]
    panels = [
        ("mean_auc", "mean ROC-AUC of six attributes"),
        ("log_loss", "log loss of TOXICITY"),
        ("checks_rate", "functional checks passed"),
    ]
    panels = [(name, title) for name, title in panels if name in shares[0]]
    made = Figure(figsize=(_WIDTH, 0.7 + 1.8 * len(panels)))
    made.set_layout_engine("constrained")
    places = range(len(shares))
    for axes, (name, title) in zip(
        made.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        values = [one[name] for one in shares]
        axes.plot(places, values, color=_BLUE, marker="o", markersize=5, linewidth=1.4)
        for place, value in zip(places, values, strict=True):
            axes.annotate(
                f"{value:.4f}", (place, value), (0, 7), textcoords="offset points", ha="center", fontsize=9
            )
        axes.set_title(title)
        axes.margins(y=0.3)
        axes.ticklabel_format(axis="y", useOffset=False)
    labels = [f"{one['share']:.0%}\n{1000 * one['seconds_a_comment']:.2g} ms" for one in shares]
    axes.set_xticks(places, labels)
    axes.set_xlabel("share of comments sent to the encoder, and time a comment")
    return made


def _identities(section: Found) -> Figure | None:
    *_, last = section["variants"].values()
    found = last["identities"]
    if not found:
        return None
    names = sorted(found, key=lambda name: found[name]["bpsn_auc"], reverse=True)
    made, axes = _one_panel(1.1 + 0.21 * len(names))
    aucs = [
        ("subgroup AUC", "subgroup_auc", _GREY),
        ("BPSN AUC", "bpsn_auc", _RED),
        ("BNSP AUC", "bnsp_auc", _BLUE),
    ]
    for place, name in enumerate(names):
        values = [found[name][key] for _, key, _ in aucs]
        axes.plot([min(values), max(values)], [place, place], color=_PALE, linewidth=3, zorder=0)
    for _, key, colour in aucs:
        axes.scatter([found[name][key] for name in names], range(len(names)), color=colour, s=24, zorder=2)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(axis="x", color=_PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    _key(axes, [(title, colour) for title, _, colour in aucs])
    return made


def _stance_checks(section: Found) -> Figure | None:
    functions = sorted(section["functions"].values(), key=lambda one: (one["rate"] or 0.0, one["title"]))[
        ::-1
    ]
    made, axes = _one_panel(1.1 + 0.21 * len(functions))
    for place, one in enumerate(functions):
        axes.barh(place, one["rate"] or 0.0, color=_BLUE, height=0.7)
        axes.text(1.02, place, f"{100 * (one['rate'] or 0.0):.0f} %", va="center", fontsize=9)
        if (flips := one["flips"]["rate"]) is not None:
            axes.plot([flips] * 2, [place - 0.4, place + 0.4], color=_OCHRE, linewidth=2.4, clip_on=False)
    axes.set_yticks(range(len(functions)), [one["title"] for one in functions], fontsize=9)
    axes.set_ylim(-0.6, len(functions) - 0.4)
    _percent_axis(axes)
    _key(axes, [("cases with the right label", _BLUE), ("stroke: mirrored pairs that flip", _OCHRE)])
    return made


def _stance_reliability(section: Found) -> Figure | None:
    predicted, observed, rows = np.array(section["reliability"]).T
    made, axes = _one_panel(4.2)
    axes.plot([0, 1], [0, 1], color=_PALE, linewidth=1.2, zorder=0)
    axes.plot(predicted, observed, color=_BLUE, linewidth=1, alpha=0.6)
    axes.scatter(predicted, observed, s=12 + 12 * np.log10(rows), color=_BLUE, zorder=2)
    axes.text(0.03, 0.93, f"ECE {section['ece']:.3f}", color=_BLUE, **_inside(axes))
    axes.set_xlabel("confidence of the likeliest stance")
    axes.set_ylabel("share that is right")
    axes.set_xlim(0.3, 1.02)
    axes.set_ylim(-0.02, 1.02)
    return made


def _risk_coverage(section: Found) -> Figure | None:
    coverage, accuracy, _ = np.array(section["curve"]).T
    floor = section["at_floor"]
    made, axes = _one_panel(4.2)
    axes.axhline(section["precision_wanted"], color=_PALE, linewidth=1.2, zorder=0)
    axes.plot(coverage, accuracy, color=_BLUE, linewidth=1.8)
    axes.axvline(floor["coverage"], color=_OCHRE, linewidth=1.2, zorder=0)
    if floor["accuracy"] is not None:
        axes.scatter([floor["coverage"]], [floor["accuracy"]], color=_OCHRE, s=42, zorder=3, clip_on=False)
    axes.set_xlabel("coverage: share of comments that get a label, the most confident first")
    axes.set_ylabel("share that is right")
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.02)
    _key(
        axes,
        [
            ("accuracy", _BLUE),
            (f"floor: confidence {floor['confidence']:.2f}", _OCHRE),
            (f"pale: {section['precision_wanted']:.0%} right", _GREY),
        ],
    )
    return made


def _by_attribute(
    section: Found,
    panel: Callable[[Axes, str, Found, str, int], None],
    x: str,
    y: str,
    *,
    last_only: bool = False,
) -> Figure | None:
    """Draw a panel an attribute of the main set, the last variant in blue and the one before in grey."""
    variants = {name: one["sources"].get(MAIN_SOURCE, {}) for name, one in section["variants"].items()}
    if last_only:
        variants = dict(list(variants.items())[-1:])
    colours = [_BLUE] if len(variants) == 1 else [_GREY, _BLUE]
    shown = [name for name in ATTRIBUTES if all("roc_auc" in one.get(name, {}) for one in variants.values())]
    if not shown:
        return None
    made = Figure(figsize=(_WIDTH, 5.6 if len(shown) > 3 else 3.1))
    made.set_layout_engine("constrained")
    grid = np.atleast_2d(
        made.subplots(-(-len(shown) // 3), min(3, len(shown)), sharex=True, sharey=True, squeeze=False)
    )
    for axes in grid.flat[len(shown) :]:
        axes.remove()
    for axes, name in zip(grid.flat, shown, strict=False):
        axes.set_title(name.replace("_", " ").capitalize())
        for line, (one, colour) in enumerate(zip(variants.values(), colours, strict=True)):
            panel(axes, name, one[name], colour, line)
    made.supxlabel(x, fontsize=10.5)
    made.supylabel(y, fontsize=10.5)
    if len(variants) > 1:
        made.suptitle(f"grey: {', '.join(list(variants)[:-1])} · blue: {list(variants)[-1]}", fontsize=10.5)
    return made


def _one_panel(height: float) -> tuple[Figure, Axes]:
    made = Figure(figsize=(_WIDTH, height))
    made.set_layout_engine("constrained")
    return made, made.subplots()


def _inside(axes: Axes) -> Found:
    return {"transform": axes.transAxes, "fontsize": 9.5}


def _percent_axis(axes: Axes) -> None:
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])


def _key(axes: Axes, entries: Sequence[tuple[str, str]]) -> None:
    """Name the colours in one line above the panel."""
    title = axes.set_title(" ", fontsize=10)
    before: Any = None
    for name, colour in entries:
        place = (
            {"xy": (0.0, 1.0), "xycoords": title}
            if before is None
            else {"xy": (1.0, 0.0), "xycoords": before}
        )
        before = axes.annotate(
            f"{name}   ",
            **place,
            va="bottom",
            ha="left",
            color=colour,
            fontsize=10,
            fontweight="bold",
            annotation_clip=False,
        )
