"""The report: what was decided and why, as Markdown, with every figure beside it as JSON."""

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from training.card_figures import table
from training.errors import MissingExtraError, ReportError

__all__ = ["check_report", "markdown", "named_source", "write_report"]

Found = dict[str, Any]

_REPORT, _FIGURES, _PLOTS = "retraining.md", "retraining.json", "plots"
_GROUPS = {
    "feedback": "Held-out feedback",
    "auc": "ROC-AUC by set and attribute",
    "ece": "Calibration error by set and attribute",
    "bpsn": "BPSN AUC by identity",
    "check": "Functional checks",
    "stance": "Stance by set",
}
_TITLES = {"changes": "Challenger less champion", "reliability": "TOXICITY: said and shown"}
_MOST_ROWS = 12
_HEADER = ("champion", "challenger", "worse by", "allowed", "by chance")


def check_report(folder: Path, *, plots: bool) -> None:
    """Refuse now what would fail at the end.

    Raises:
        ReportError: the folder is a file.
        MissingExtraError: matplotlib is not installed.
    """
    if folder.exists() and not folder.is_dir():
        raise ReportError(f"{folder} is not a folder")
    if plots and find_spec("matplotlib") is None:
        raise MissingExtraError(
            "plots need matplotlib: pip install 'counterpoint[report]' (or use --no-plots)"
        )


def write_report(folder: Path, found: Found, *, plots: bool) -> None:
    """Write the report, over an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    images: dict[str, str] = {}
    if plots:
        from training.retraining.plots import draw

        images = {name: f"{_PLOTS}/{path.name}" for name, path in draw(found, folder / _PLOTS).items()}
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (folder / _FIGURES).write_text(text, encoding="utf-8")
    (folder / _REPORT).write_text(markdown(found, images), encoding="utf-8")


def named_source(source: Mapping[str, Any]) -> str:
    """Return how a source of the report is called: by its name, with the key where there is one."""
    name, key = source["source"], source["key"]
    return f"{name} (key {key})" if key else f"{name}"


def markdown(found: Found, images: Mapping[str, str]) -> str:
    """Return the report; `images` are the plots' names and where they lie."""
    parts = [f"# Retraining {found['champion']}: {found['decision']}", _opening(found)]
    for task, verdict in found["verdicts"].items():
        parts += [
            f"## {task.capitalize()}: {'passed' if verdict['passed'] else 'refused'}",
            _verdict(verdict),
        ]
        by_community = found["figures"][task].get("feedback", {})
        rows = [
            (name, one["comments"], f"{one['champion']:.4f}", f"{one['challenger']:.4f}")
            for name, one in by_community.items()
        ]
        if rows:
            parts += ["Brier score on held-out feedback (lower is better):"]
            parts.append(table(("community", "comments", "champion", "challenger"), rows))
        for section, reason in found["figures"][task]["challenger"].get("left_out", {}).items():
            parts.append(f"Not measured: {section}: {reason}")
    parts += [f"![{_TITLES[name]}]({place})" for name, place in images.items()]
    parts += ["## Feedback", _feedback(found["feedback"]), *_traffic(found["observed"])]
    return "\n\n".join(filter(None, parts)) + "\n"


def _opening(found: Found) -> str:
    held = "texts of the datasets" if found["with_base_data"] else "sentences written for this project"
    how = (
        "fitted anew on the datasets and feedback"
        if found["refitted"]
        else f"the champion continued with feedback, while {held} held it where it was"
    )
    what = " and ".join(found["retrained"]) or "neither model"
    release = f" as {found['challenger']}" if found["decision"] == "published" else ""
    sample = f" At most {found['sample']:,} rows a set were judged." if found["sample"] else ""
    return (
        f"{found['created']}, seed {found['seed']}. The challenger is {how}; its encoders are the "
        f"champion's. Decision: {found['decision']}{release} ({what}).{sample} All figures are of the "
        "models as served, on the same held-out rows."
    )


def _verdict(verdict: Found) -> str:
    gates: Sequence[Found] = verdict["gates"]
    rows = []
    for group, title in _GROUPS.items():
        of_group = [gate for gate in gates if gate["group"] == group]
        if of_group:
            worst = max(of_group, key=lambda gate: gate["loss"] - gate["limit"])
            passed = sum(gate["passed"] for gate in of_group)
            rows.append((title, f"{passed} of {len(of_group)}", worst["name"], *_figures(worst)))
    header = ("gates", "passed", "closest to its limit", *_HEADER)
    parts = [table(header, rows)]
    parts += [f"{gate['name']}: {gate['note']}." for gate in gates if gate["note"]]
    for title, shown in (
        ("Not passed", [gate for gate in gates if not gate["passed"]]),
        ("Beyond the limit, but this may be chance", [gate for gate in gates if _may_be_chance(gate)]),
    ):
        if shown:
            worst_first = sorted(shown, key=lambda gate: gate["limit"] - gate["loss"])[:_MOST_ROWS]
            parts.append(f"{title} ({len(shown)}):")
            rows = [(_GROUPS[gate["group"]], gate["name"], *_figures(gate)) for gate in worst_first]
            parts.append(table(("gate", "of", *_HEADER), rows))
    return "\n\n".join(parts)


def _may_be_chance(gate: Found) -> bool:
    return bool(gate["passed"] and gate["loss"] > gate["limit"])


def _figures(gate: Found) -> tuple[str, ...]:
    names = ("champion", "challenger", "loss", "limit", "by_chance")
    return tuple("–" if gate[name] is None else f"{gate[name]:.4f}" for name in names)


def _feedback(feedback: Found) -> str:
    sizes = ", ".join(
        f"{task} {sum(sides.values()):,} ({', '.join(f'{side} {n:,}' for side, n in sides.items())})"
        for task, sides in feedback["comments"].items()
    )
    sources: list[Found] = feedback["sources"]
    rows = [
        (
            one["source"],
            one["key"] or "",
            "moderator" if one["moderator"] else "",
            f"{one['opinions']:,}",
            f"{one['too_fast']:,}",
            _rate(one["against_others"]),
            _rate(one["against_champion"]),
            f"{one['share']:.1%}",
            one["left_out"] or "",
        )
        for one in sources[: 5 * _MOST_ROWS]
    ]
    header = (
        "source",
        "key",
        "role",
        "opinions",
        "too fast",
        "against others",
        "against champion",
        "share",
        "left out",
    )
    left_out = [named_source(one) for one in sources if one["left_out"]]
    parts = [
        f"{feedback['opinions']:,} opinions, {feedback['counting']:,} of which count. Comments: {sizes}.",
        f"**Left out: {', '.join(left_out)}.**" if left_out else "No source was left out.",
        table(header, rows),
    ]
    if len(sources) > len(rows):
        parts.append(f"{len(sources) - len(rows):,} more sources stand in {_FIGURES}.")
    if feedback["without_keys"]:
        parts.append(f"Left out whole, by order: what came with {', '.join(feedback['without_keys'])}.")
    if feedback["keys"]:
        parts += [
            "By API key. All names of a key that is not believed are bounded as one source:",
            _keys(feedback["keys"]),
        ]
    outliers = [
        (
            one["uid"] or "",
            one["source"],
            one["key"] or "",
            one["attribute"],
            f"{one['label']:.2f}",
            f"{one['champion']:.2f}",
        )
        for one in feedback["outliers"]
    ]
    if outliers:
        parts.append("Opinions farthest from the champion, to be looked at by a person:")
        parts.append(table(("opinion", "source", "key", "attribute", "label", "champion"), outliers))
    return "\n\n".join(parts)


def _keys(keys: Sequence[Found]) -> str:
    rows = [
        (
            one["key"],
            "yes" if one["believed"] else "",
            f"{one['sources']:,}",
            f"{one['opinions']:,}",
            _rate(one["against_others"]),
            _rate(one["against_champion"]),
            f"{one['share']:.1%}",
            f"{one['weight_kept']:.1%}",
        )
        for one in keys
    ]
    header = (
        "key",
        "believed",
        "sources",
        "opinions",
        "against others",
        "against champion",
        "share",
        "weight kept",
    )
    return table(header, rows)


def _traffic(observed: Found) -> list[str]:
    """Drift of the champion's traffic by day, and how challengers fared beside it."""
    drift, shadow = observed.get("drift", []), observed.get("shadow", [])
    if not drift and not shadow:
        return []
    header = ("day", "comments", "most drift in", "index", "by chance", "")
    days = []
    for day in drift:
        most = max(day["drift"], key=lambda name: day["drift"][name]["psi"], default=None)
        figures = [day.get("note", "–"), "–", "–", "–"]
        if most is not None:
            one = day["drift"][most]
            figures = [most, f"{one['psi']:.3f}", f"{one['by_chance']:.3f}", one["verdict"]]
        days.append((day["day"], f"{day['comments']:,}", *figures))
    parts = ["## The champion's traffic", table(header, days)]
    beside = [
        f"{one['challenger']} was beside it from {one['first_day']} to {one['last_day']}, on "
        f"{one['comments']:,} comments; `counterpoint models shadow-report` tells how it fared."
        for one in shadow
    ]
    return [*parts, *beside]


def _rate(counts: Sequence[int]) -> str:
    return f"{counts[0]:,} of {counts[1]:,}"
