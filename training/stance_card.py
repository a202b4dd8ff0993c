"""What the model card says of the stance model, and its figures as tables of text."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models import Manifest
from training.card_figures import percent, table, three
from training.stance_folds import MEASURES

__all__ = [
    "STANCE_DATA",
    "STANCE_PLOTS",
    "stance_check_rows",
    "stance_section",
    "stance_summary",
]

Found = Mapping[str, Any]

_PUBLISHED = "counterpoint/published-comments"
STANCE_DATA = ("counterpoint/openers", _PUBLISHED, "counterpoint/written-comments")
"""What was written for this project and trains the stance model."""

STANCE_PLOTS: dict[str, str] = {
    "stance_checks": "Functional checks of stance, by function, and mirrored pairs that flip",
    "stance_reliability": "Reliability of stance: confidence against the share that is right",
    "stance_risk_coverage": "Risk and coverage: accuracy by the share of comments that get a label",
}

_WHAT = (
    "Says of a comment and a premise, given as a sentence, whether the comment agrees, disagrees or takes no "
    "side (neutral), each a probability given that the comment bears on the premise; and how likely it does "
    "(relevance). An encoder of 22 million parameters, where the bundle has one, reads premise and comment "
    "together; logistic regressions weigh what it says with evidence that can be "
    "counted: words of agreement and disagreement, negation, overlap, length. The likeliest stance is "
    "“uncertain” below a floor of confidence, which was chosen on the calibration side. **English only**: "
    "other languages get no stance."
)
_LIMITS = Path(__file__).parent / "templates" / "stanceLimitations.md"
_STUDY = Path(__file__).with_name("stance_folds.json")
_MEASURES = ("macro_f1", "agree_disagree_auc", "ece", "decided", "decided_accuracy", "relevance_auc")


def stance_section(
    manifest: Manifest, found: Found, left_out: Mapping[str, str], image: Callable[[str], str]
) -> str:
    """Return the section as Markdown.

    Args:
        manifest: of the bundle.
        found: the sections of metrics.json on stance.
        left_out: the sections that are missing, and why.
        image: a plot's name → its place in Markdown, or nothing.
    """
    parts = [_WHAT, table(("", "figure"), stance_summary(found)), *_data(manifest)]
    if "heldOut" in found:
        parts += [
            "### Premises never seen",
            "Test split by set, stance of related pairs. Macro-F1 over the stances that occur in the set; "
            "AUC is agree against disagree; “decided” is the share of labels at or above the floor, “right” "
            "how many of those are. Majority is what always saying the commonest would reach; words are "
            "TF-IDF of premise and comment with logistic regression, trained on the training split"
            f"{_learnt(found)}. “openers” are sentences that say it outright.",
            _held_out_table(found),
        ]
    if "calibration" in found or "riskCoverage" in found:
        parts += [
            "### Confidence",
            _confidence_text(found),
            image("stance_reliability"),
            image("stance_risk_coverage"),
        ]
    if "confusion" in found:
        one = found["confusion"]
        said = [f"called {label}" for label in one["labels"]]
        rows = [[label, *map(str, row)] for label, row in zip(one["labels"], one["rows"], strict=True)]
        parts += [f"Likeliest labels on {_sets(one)}:", table(("truth", *said), rows)]
    if "checks" in found:
        parts += [
            "### Functional checks of stance",
            "Comments written for this project, each about one thing a model must be able to read; a label "
            f"is “unrelated” below relevance {found['checks']['relevant_from']:g}. A mirrored pair is a "
            "comment that takes a side, under the premise and under its opposite: it flips where both labels "
            "are right. The weakest functions first.",
            table(("function", "cases", "right", "pairs", "flip"), stance_check_rows(found["checks"])),
            image("stance_checks"),
        ]
    if "threads" in found:
        parts += ["### Replies", _threads_text(found["threads"]), _threads_table(found["threads"])]
    parts += _tried()
    parts += ["### Where it fails", _LIMITS.read_text(encoding="utf-8").strip()]
    if left_out:
        parts += ["### Left out of stance", "\n".join(f"- {name}: {why}" for name, why in left_out.items())]
    return "\n\n".join(filter(None, parts))


def stance_summary(found: Found) -> list[list[str]]:
    """Return the most telling figures, a row each."""
    arc = found.get("heldOut", {}).get("sources", {}).get("arc", {})
    rows = []
    if arc:
        rows += [
            ["readers' comments (arc): agree against disagree, AUC", three(arc.get("agree_disagree_auc"))],
            ["… macro-F1 of agree, disagree, neutral", three(arc.get("macro_f1"))],
            ["… related against unrelated, AUC", three(arc.get("relevance_auc"))],
        ]
    if "riskCoverage" in found:
        floor = found["riskCoverage"]["at_floor"]
        rows.append(["readers' comments decided, at the floor", percent(floor["coverage"])])
        rows.append(["… of which right", percent(floor["accuracy"])])
    if "calibration" in found:
        rows.append(["calibration error of the likeliest stance", three(found["calibration"]["ece"])])
    if "checks" in found:
        rows.append(["functional checks of stance passed", percent(found["checks"]["rate"])])
        rows.append(["… mirrored pairs that flip", percent(found["checks"]["flips"]["rate"])])
    return rows


def stance_check_rows(section: Found) -> list[list[str]]:
    """Return title, cases, share right, mirrored pairs and share that flips, the weakest function first."""
    functions = sorted(section["functions"].values(), key=lambda one: (one["rate"] or 0.0, one["title"]))
    return [
        [
            one["title"],
            str(one["cases"]),
            percent(one["rate"]),
            str(one["flips"]["pairs"]),
            percent(one["flips"]["rate"]),
        ]
        for one in functions
    ]


def _tried() -> list[str]:
    """Return what `training.stance_folds` has measured, once it was done."""
    if not _STUDY.exists():
        return []
    study = json.loads(_STUDY.read_text(encoding="utf-8"))
    rows = [
        [
            way["title"] if place == 0 else "",
            reading["title"],
            str(reading["runs"]),
            *(" ± ".join(map(three, reading[name])) if name in reading else "–" for name in MEASURES),
        ]
        for way in study["ways"].values()
        for place, reading in enumerate(way["readings"].values())
    ]
    head = ("taught", "read", "runs", "AUC", "macro-F1 of the sides", "of all three", "relevance AUC")
    return [
        "### Ways that were tried",
        f"Readers' comments (ARC) towards claims never seen: {study['related']:,} related pairs of "
        f"{study['debates']} debates. {study['split']}. A way is taught a shortened lesson on three folds, "
        "its head is fitted on the fourth, and the fifth is judged; mean and standard deviation over folds "
        "and seeds. So these figures compare ways; those of this bundle stand above. Comments under premises "
        "written for them are the published ones of the judged debates.",
        table(head, rows),
    ]


def _data(manifest: Manifest) -> list[str]:
    own = [entry for entry in manifest.training_data if entry["name"] in STANCE_DATA]
    commented = [Path(file).stem for entry in own if entry["name"] == _PUBLISHED for file in entry["files"]]
    lent = {f"civility/{source}" for source in commented}
    rows = [
        (entry["name"], entry["licence"], f"{entry['rows']:,}")
        for entry in manifest.training_data
        if entry["name"].startswith("stance/") or entry["name"] in {*STANCE_DATA, *lent}
    ]
    if not rows:
        return []
    where = f"`{_PUBLISHED}` holds premises; the comments are those of {', '.join(commented)}."
    told = "Rows of all sides together, split by debate or motion:"
    return [*([where] if commented else []), told, table(("set", "licence", "rows"), rows)]


def _learnt(found: Found) -> str:
    return f" ({found['baselines']['trained_on']['rows']:,} rows)" if "baselines" in found else ""


def _held_out_table(found: Found) -> str:
    words = found.get("baselines", {}).get("words", {})
    rows = []
    for source, one in found["heldOut"]["sources"].items():
        if not one:
            continue
        own, baseline = {name: one.get(name) for name in _MEASURES}, words.get(source, {})
        rows.append(
            [
                source,
                f"{one['n']:,}",
                three(own["macro_f1"]),
                three(one.get("majority_macro_f1")),
                three(baseline.get("macro_f1")),
                three(own["agree_disagree_auc"]),
                three(baseline.get("agree_disagree_auc")),
                three(own["ece"]),
                percent(own["decided"]),
                percent(own["decided_accuracy"]),
                three(own["relevance_auc"]),
            ]
        )
    head = ("set", "pairs", "macro-F1", "majority", "words", "AUC", "words: AUC", "ECE", "decided", "right")
    return table((*head, "relevance AUC"), rows)


def _confidence_text(found: Found) -> str:
    lines = []
    if one := found.get("calibration"):
        lines.append(f"On {_sets(one)}, the calibration error of the likeliest stance is {one['ece']:.3f}.")
    if one := found.get("riskCoverage"):
        floor = one["at_floor"]
        right = (
            f"{percent(floor['accuracy'])} of them right" if floor["accuracy"] is not None else "none of them"
        )
        lines.append(
            f"At the floor ({floor['confidence']:.2f}) {percent(floor['coverage'])} of labels are decided, "
            f"{right}; the floor was chosen for {percent(one['precision_wanted'])} on the calibration side."
        )
    return " ".join(lines)


def _sets(section: Found) -> str:
    return " and ".join(f"{rows:,} rows of {source}" for source, rows in section["rows_of"].items() if rows)


def _threads_text(section: Found) -> str:
    text = (
        f"{section['threads']} written threads of the test side: replies, under the premise and its opposite."
    )
    return (
        text if section["has_chain"] else f"{text} This bundle has not learnt to read a reply by its parent."
    )


def _threads_table(section: Found) -> str:
    titles = {
        "alone": "to the premise, read alone",
        "with_parent": "to the premise, with its parent",
        "to_the_parent": "to the parent",
    }
    rows = [
        [
            title,
            f"{section[name]['n']:,}",
            three(section[name]["macro_f1"]),
            three(section[name].get("agree_disagree_auc")),
            percent(section[name]["accuracy"]),
        ]
        for name, title in titles.items()
    ]
    return table(("stance", "pairs", "macro-F1", "AUC", "accuracy"), rows)
