"""The figures of a report as tables of text, for the model card and the terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from training.heldout import MAIN_SOURCE

__all__ = [
    "bias_table",
    "cascade_table",
    "check_rows",
    "disagreement_table",
    "evasion_table",
    "held_out_table",
    "languages_table",
    "one_class_table",
    "percent",
    "summary",
    "table",
    "three",
]

Found = dict[str, Any]
_ESCAPED = str.maketrans({"|": "\\|", "<": "&lt;", "\n": " "})


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; empty where there are no rows."""
    lines = [[_cell(cell) for cell in row] for row in rows]
    if not lines:
        return ""
    head = [list(header), ["---"] * len(header)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [*head, *lines])


def summary(civility: Found, variants: Sequence[str]) -> list[list[str]]:
    """Return the most telling figures, a row each: its name, and its value for each variant."""
    jigsaw = f"variants.{{}}.sources.{MAIN_SOURCE}.TOXICITY"
    asked: list[tuple[str, str, str]] = [
        ("TOXICITY, ROC-AUC", "heldOut", f"{jigsaw}.roc_auc"),
        ("TOXICITY, average precision", "heldOut", f"{jigsaw}.average_precision"),
        ("TOXICITY, calibration error", "heldOut", f"{jigsaw}.ece"),
        ("mean ROC-AUC of six attributes", "heldOut", "variants.{}.mean_auc"),
        ("functional checks passed", "checks", "variants.{}.rate"),
        ("… civil sentences", "checks", "variants.{}.civil.rate"),
        ("… toxic sentences", "checks", "variants.{}.toxic.rate"),
        ("bias, final figure", "bias", "variants.{}.final"),
        ("bias, power mean of BPSN AUC", "bias", "variants.{}.power_mean.bpsn_auc"),
        ("toxic spans, character F1", "spans", "variants.{}.f1"),
        ("comments over 1,000 characters, ROC-AUC", "longComments", "variants.{}.natural.roc_auc"),
        ("insult at the end of 20,000 characters seen", "longComments", "variants.{}.buried.at_half_with"),
    ]
    rows = [
        [name, *(three(_at(civility.get(section, {}), path.format(one))) for one in variants)]
        for name, section, path in asked
        if section in civility
    ]
    for name, section, reduce in (
        ("most ROC-AUC lost to a disguise", "evasion", _most_lost),
        ("published comments: TOXICITY ≥ 0.5, disagree less agree", "disagreement", _arc_gap),
    ):
        if section in civility:
            rows.append([name, *(reduce(civility[section]["variants"][one]) for one in variants)])
    return rows


def held_out_table(section: Found, variants: Sequence[str]) -> str:
    """Return ROC-AUC, average precision and ECE by source and attribute, columns for each variant."""
    of_variant = [section["variants"][variant]["sources"] for variant in variants]
    names = ("roc_auc", "average_precision", "ece")
    rows = [
        [source, attribute, f"{one['n']:,}", f"{one['positives']:,}"]
        + [three(sources[source][attribute].get(name)) for sources in of_variant for name in names]
        for source, found in of_variant[0].items()
        for attribute, one in found.items()
        if isinstance(one, dict) and "roc_auc" in one
    ]
    measured = _headed(variants, ("ROC-AUC", "AP", "ECE"))
    return table(("set", "attribute", "rows", "positive", *measured), rows)


def one_class_table(section: Found, variants: Sequence[str]) -> str:
    """Return, of the sets with one class of TOXICITY only, the share of rows that reach 0.5."""
    of_variant = [section["variants"][variant]["sources"] for variant in variants]
    rows = [
        [source, "toxic" if one["positives"] else "civil", f"{one['n']:,}"]
        + [percent(sources[source]["TOXICITY"]["positive_at_half"]) for sources in of_variant]
        for source, found in of_variant[0].items()
        if "roc_auc" not in (one := found.get("TOXICITY", {"roc_auc": None}))
    ]
    return table(("set", "rows are", "rows", *_headed(variants, ("TOXICITY ≥ 0.5",))), rows)


def check_rows(section: Found, variants: Sequence[str]) -> list[list[str]]:
    """Return title, cases, and each variant's passed and rate, the last variant's weakest function first."""
    of_variant = [section["variants"][variant]["functions"] for variant in variants]
    names = sorted(of_variant[-1], key=lambda name: (of_variant[-1][name]["rate"] or 0.0, name))
    return [
        [of_variant[-1][name]["title"], str(of_variant[-1][name]["cases"])]
        + [
            cell
            for found in of_variant
            for cell in (str(found[name]["passed"]), percent(found[name]["rate"]))
        ]
        for name in names
    ]


def bias_table(section: Found, variant: str) -> str:
    """Return the figures of every identity, the lowest BPSN AUC first."""
    found = section["variants"][variant]["identities"]
    names = ("subgroup_auc", "bpsn_auc", "bnsp_auc", "civil_median", "civil_90th_percentile")
    rows = [
        [
            identity,
            f"{one['rows']:,}",
            *(three(one[name]) for name in names),
            percent(one["false_positive_rate"]),
        ]
        for identity, one in sorted(found.items(), key=lambda item: item[1]["bpsn_auc"])
    ]
    header = ("identity", "rows", "subgroup AUC", "BPSN AUC", "BNSP AUC", "civil: median", "civil: 90th pct.")
    return table((*header, "civil ≥ 0.5"), rows)


def disagreement_table(section: Found, variants: Sequence[str]) -> str:
    """Return the shares that reach 0.5 and 0.3 and the mean by stance, with the gap and its interval."""
    measures = (("at_half", "TOXICITY ≥ 0.5"), ("at_0_3", "TOXICITY ≥ 0.3"), ("mean", "mean TOXICITY"))
    rows = []
    for variant in variants:
        for source, one in section["variants"][variant].items():
            for name, title in measures:
                gap = one["gap"][name]
                low, high = gap["interval"]
                stated = f"{gap['points']:+.1f} ({low:+.1f} to {high:+.1f})"
                agree, disagree = (
                    percent(one[side][name]) if name != "mean" else three(one[side][name])
                    for side in ("agree", "disagree")
                )
                rows.append([source, variant, title, agree, disagree, stated])
    return table(("set", "variant", "", "agree", "disagree", "gap in points"), rows)


def evasion_table(section: Found, variants: Sequence[str]) -> str:
    """Return for each disguise the AUC and what was lost, at each share of disguised words."""
    kinds = section["variants"][variants[-1]]["kinds"]
    shares = list(next(iter(kinds.values()), {}))
    header = [f"{variant}: {float(share):.0%} disguised" for variant in variants for share in shares]
    rows = [["none", *(three(section["variants"][v]["before"]["roc_auc"]) for v in variants for _ in shares)]]
    for kind in kinds:
        cells = [section["variants"][v]["kinds"][kind][share] for v in variants for share in shares]
        words = kind.replace("_", " ").replace("-", " ")
        rows.append([words, *(f"{one['roc_auc']:.3f} ({0 - one['lost']:+.3f})" for one in cells)])
    return table(("disguise", *header), rows)


def cascade_table(section: Found) -> str:
    """Return quality and cost by the share of comments sent to the encoder."""
    rows = [
        [
            f"{one['share']:.0%}",
            *(three(one.get(name)) for name in ("roc_auc", "mean_auc", "log_loss")),
            percent(one["checks_rate"]),
            f"{1000 * one['seconds_a_comment']:.2f} ms",
        ]
        for one in section["shares"]
    ]
    return table(("sent", "TOXICITY AUC", "mean AUC", "log loss", "checks", "time a comment"), rows)


def three(value: float | None) -> str:
    """Return three digits, or a dash for what is unknown."""
    return "–" if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    """Return a percentage, or a dash for what is unknown."""
    return "–" if value is None else f"{100 * value:.1f} %"


def _headed(variants: Sequence[str], names: Sequence[str]) -> list[str]:
    if len(variants) == 1:
        return list(names)
    return [f"{variant}: {name}" for variant in variants for name in names]


def _cell(value: object) -> str:
    return str(value).translate(_ESCAPED)


def _at(found: Any, path: str) -> float | None:
    for name in path.split("."):
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return None if found is None else float(found)


def _most_lost(found: Found) -> str:
    lost = {
        (kind, share): one["lost"] for kind, shares in found["kinds"].items() for share, one in shares.items()
    }
    if not lost:
        return "–"
    kind, share = max(lost, key=lambda place: lost[place])
    return f"{lost[kind, share]:.3f} ({kind}, {float(share):.0%})"


def _arc_gap(found: Found) -> str:
    if "arc" not in found:
        return "–"
    gap = found["arc"]["gap"]["at_half"]
    return f"{gap['points']:+.1f} points ({gap['interval'][0]:+.1f} to {gap['interval'][1]:+.1f})"


def languages_table(section: Found) -> str:
    """Return a row a language and attribute."""
    rows = [
        (
            language,
            attribute,
            f"{one['n']:,}",
            f"{one['positives']:,}",
            three(one.get("roc_auc")),
            three(one.get("ece")),
        )
        for language, found in section["languages"].items()
        for attribute, one in found.items()
    ]
    return table(("language", "attribute", "rows", "positive", "ROC-AUC", "ECE"), rows)
