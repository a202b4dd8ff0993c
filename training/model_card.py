"""The model card of a bundle, as Markdown and as a page.

Its sections are those ROOST asks for, which tell of civility, and one more for stance.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from data import shipped_catalog
from models import Manifest
from training import card_figures as figures
from training.stance_card import STANCE_DATA, STANCE_PLOTS, stance_section

__all__ = ["SECTIONS", "card_for_bundle", "card_html", "card_markdown"]

SECTIONS: dict[str, str] = {
    "trainingData": "Training data",
    "policyAndTaxonomy": "Policy and taxonomy",
    "annotationMethodology": "Annotation methodology",
    "performanceBenchmarks": "Performance benchmarks",
    "biasAndLimitations": "Bias and limitations",
    "stance": "Stance",
    "implementationGuidance": "Implementation guidance",
    "relevantLinks": "Relevant links",
}
"""Anchor → title, in order."""

_TEMPLATES = Path(__file__).parent / "templates"
_OWN, _OF_STANCE = "counterpoint/", STANCE_DATA
_PLOT_TITLES = {
    "roc": "ROC curve of each attribute",
    "precision_recall": "Precision and recall of each attribute",
    "reliability": "Reliability: predicted probability against the share of positive comments",
    "distributions": "Distribution of scores of civil and uncivil comments",
    "checks": "Functional checks passed, by function",
    "evasion": "ROC-AUC before and after each disguise",
    "cascade": "Quality against time a comment",
    "identities": "Three AUCs of each identity",
    **STANCE_PLOTS,
}


@dataclass(frozen=True, slots=True)
class _Card:
    manifest: Manifest
    metrics: Mapping[str, Any]
    images: Mapping[str, str]

    @property
    def civility(self) -> dict[str, Any]:
        found: dict[str, Any] = self.metrics["civility"]
        return found

    @property
    def variants(self) -> list[str]:
        return list(self.metrics["variants"])

    def image(self, name: str) -> str:
        return f"![{_PLOT_TITLES[name]}]({self.images[name]})" if name in self.images else ""


def card_for_bundle(manifest: Manifest, metrics: Mapping[str, Any]) -> str:
    """Return the card without plots, to lie beside the bundle; `metrics` as `evaluate` returns them."""
    return card_markdown(manifest, metrics, {})


def card_markdown(manifest: Manifest, metrics: Mapping[str, Any], images: Mapping[str, str]) -> str:
    """Return the card; `images` are the plots' names and where they lie."""
    card = _Card(manifest, metrics, images)
    parts = [f"# {_title(manifest)}", _opening(card)]
    for anchor, title in SECTIONS.items():
        parts += [f'<a id="{anchor}"></a>', f"## {title}", _BODIES[anchor](card)]
    return "\n\n".join(filter(None, parts)) + "\n"


def card_html(manifest: Manifest, metrics: Mapping[str, Any], images: Mapping[str, bytes]) -> str:
    """Return the card as one page that loads nothing; `images` are the plots' names and PNG bytes."""
    places = {
        name: f"data:image/png;base64,{base64.b64encode(image).decode()}" for name, image in images.items()
    }
    card = _Card(manifest, metrics, places)
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    links = "\n".join(f'<a href="#{anchor}">{title}</a>' for anchor, title in SECTIONS.items())
    parts = [f"<h1>{escape(_title(manifest))}</h1>", markdown.render(_opening(card)), f"<nav>{links}</nav>"]
    for anchor, title in SECTIONS.items():
        body = markdown.render(_BODIES[anchor](card))
        parts.append(f'<section id="{anchor}">\n<h2>{title}</h2>\n{body}</section>')
    page = (_TEMPLATES / "page.html").read_text(encoding="utf-8")
    return page.format(title=escape(_title(manifest)), body="\n".join(parts))


def _title(manifest: Manifest) -> str:
    return f"Counterpoint models {manifest.version}: civility and stance"


def _opening(card: _Card) -> str:
    sample = card.metrics["sample"]
    sampled = f" **A quick look: at most {sample:,} rows a set.**" if sample else ""
    variants = (
        " “fast” is the first stage alone; “default” sends doubtful comments to the encoder too."
        if len(card.variants) > 1
        else ""
    )
    return "\n\n".join(
        [
            "Says of a reader's comment how likely it is uncivil, in six attributes, and whether it agrees "
            "with the premise of an article (see Stance). Runs on your own "
            f"machine; made {card.manifest.created}, for {' '.join(card.manifest.languages)}.",
            f"Measured {card.metrics['created']} by `counterpoint evaluate` on rows that trained nothing, "
            f"split by group with seed {card.metrics['seed']}.{sampled}{variants}",
            figures.table(("", *card.variants), figures.summary(card.civility, card.variants)),
        ]
    )


def _training_data(card: _Card) -> str:
    entries = [
        entry
        for entry in card.manifest.training_data
        if entry["name"].startswith(("civility/", _OWN)) and entry["name"] not in _OF_STANCE
    ]
    rows = [(entry["name"], entry["licence"], f"{entry['rows']:,}") for entry in entries]
    split = card.manifest.recipe.get("split", {})
    shares = ", ".join(f"{side} {share:.0%}" for side, share in split.items())
    return "\n\n".join(
        [
            f"Rows of all sides together; {shares or 'split by group'}. A group (a text with its doubles, an "
            "article, a debate) is never torn apart. The manifest holds each file's digest; the catalog "
            "(`counterpoint data list`) tells where each comes from.",
            figures.table(("set", "licence", "rows"), rows),
            "Sets named `counterpoint/…` were written for this project. The functional checks and the "
            "identity templates, by which the model is judged, train nothing.",
        ]
    )


def _annotation(card: _Card) -> str:
    catalog = shipped_catalog()
    rows = []
    for entry in card.manifest.training_data:
        dataset = catalog.get(entry["name"])
        if dataset is not None and dataset.task == "civility":
            labels = {label: _known(known) for label, known in dataset.labels.items()} | dict(dataset.columns)
            mapped = "; ".join(f"{label} → {known}" for label, known in labels.items())
            rows.append((dataset.title, mapped, "; ".join(dataset.citation)))
    return _template("annotationMethodology") + "\n\n" + figures.table(("set", "labels", "citation"), rows)


def _known(attributes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in attributes.items()) or "unknown"


def _benchmarks(card: _Card) -> str:
    found, variants = card.civility, card.variants
    parts: list[str] = []

    def add(section: str, title: str, *blocks: str) -> None:
        parts.extend([f"### {title}", *filter(None, blocks)] if section in found else [])

    def of(section: str, make: Callable[..., str], *more: object) -> str:
        return make(found[section], *more) if section in found else ""

    add(
        "heldOut",
        "Held-out comments",
        "Test split. AP is average precision, ECE the expected calibration error.",
        of("heldOut", figures.held_out_table, variants),
        of("heldOut", figures.one_class_table, variants),
        *map(card.image, ("roc", "precision_recall", "reliability", "distributions")),
    )
    add(
        "checks",
        "Functional checks",
        "Short sentences written for this project, each about one thing a model must be able to do. A "
        "civil one passes below TOXICITY 0.5, a toxic one from 0.5. The weakest functions first.",
        of("checks", _checks_table, variants),
        card.image("checks"),
    )
    add(
        "cascade",
        "What the encoder is worth",
        "The setting is the share of ordinary comments that the encoder reads, the most doubtful ones.",
        of("cascade", figures.cascade_table),
        card.image("cascade"),
    )
    add(
        "evasion",
        "Disguised words",
        "ROC-AUC of TOXICITY, civil and uncivil comments being disguised alike; in brackets the change.",
        of("evasion", figures.evasion_table, variants),
        card.image("evasion"),
    )
    add("spans", "Toxic spans", of("spans", _spans_text, variants))
    add("longComments", "Long comments", of("longComments", _long_text, variants))
    add(
        "languages",
        "Other languages",
        "A linear model a language, test split; an attribute that stayed below ROC-AUC 0.8 on a "
        "held-out side is not given.",
        of("languages", figures.languages_table),
    )
    parts.extend(_notes(card))
    return "\n\n".join(parts)


def _checks_table(section: dict[str, Any], variants: Sequence[str]) -> str:
    measured = [f"{variant}: {name}" for variant in variants for name in ("passed", "rate")]
    return figures.table(("function", "cases", *measured), figures.check_rows(section, variants))


def _spans_text(section: dict[str, Any], variants: Sequence[str]) -> str:
    lines = [
        "Mean character F1 over texts, as in SemEval-2021 task 5, of the words that the model names; the "
        f"rule was chosen on the calibration side ({section['rule_chosen_on']['rows']:,} texts).",
        "",
    ]
    for variant in variants:
        one = section["variants"][variant]
        rule = one["rule"]
        lines.append(
            f"- {variant}: **{one['f1']:.3f}** on {section['rows']:,} texts (naming nothing: "
            f"{one['f1_of_naming_nothing']:.3f}). Words count from a score of {rule['threshold']:g} and of "
            f"{rule['share']:g} of the text's highest ({rule['attributes']}), joined over gaps of "
            f"{rule['gap']}."
        )
    return "\n".join(lines)


def _long_text(section: dict[str, Any], variants: Sequence[str]) -> str:
    lines = []
    for variant in variants:
        one = section["variants"][variant]
        if natural := one.get("natural"):
            lines.append(
                f"- {variant}: ROC-AUC {natural['roc_auc']:.3f} on {natural['rows']:,} comments of more than "
                f"{natural['longer_than']:,} characters."
            )
        if hidden := one.get("buried"):
            without, within = (figures.percent(hidden[name]) for name in ("at_half_without", "at_half_with"))
            lines.append(
                f"- {variant}: civil comments joined to {hidden['characters']:,.0f} characters reach 0.5 in "
                f"{without} of {hidden['rows']} cases, with one insult at the end in {within}."
            )
    return "\n".join(lines)


def _bias(card: _Card) -> str:
    found, parts = card.civility, []
    if "bias" in found:
        parts += _identity_parts(card)
    if "disagreement" in found:
        parts += [
            "### Disagreement",
            "TOXICITY of those who agree and those who disagree with a premise, on the stance test split: "
            "readers' comments that a newspaper published (arc), and arguments written by a crowd. The gap "
            "is disagree less agree, with a 95 % interval by debate or motion.",
            figures.disagreement_table(found["disagreement"], card.variants),
        ]
    return "\n\n".join([*filter(None, parts), "### Limitations", _template("limitations")])


def _identity_parts(card: _Card) -> list[str]:
    section, variant = card.civility["bias"], card.variants[-1]
    one = section["variants"][variant]
    rates, means = one["false_positive_rate"], one["power_mean"]
    worst = ", ".join(one["worst"]["bpsn_auc"])
    return [
        "### Identities",
        f"TOXICITY on {section['rows']:,} English template sentences, most of which name an identity "
        f"({variant}). Subgroup AUC: within sentences about it; BPSN AUC: its civil sentences against toxic "
        "ones about others (low where civil sentences about it score too high); BNSP AUC: the other way "
        "round (Borkan et al. 2019).",
        f"Overall AUC {one['overall_auc']:.3f}; power means (p = −5) {means['subgroup_auc']:.3f}, "
        f"{means['bpsn_auc']:.3f} and {means['bnsp_auc']:.3f}; final figure {one['final']:.3f}. Lowest BPSN "
        f"AUC: {worst}. Civil sentences reach 0.5 in {figures.percent(rates['lowest'])} to "
        f"{figures.percent(rates['highest'])} by identity (median {figures.percent(rates['median'])}).",
        card.image("identities"),
        figures.bias_table(section, variant),
    ]


def _notes(card: _Card) -> list[str]:
    left_out = dict(card.metrics["leftOut"]["civility"])
    missing = card.civility.get("heldOut", {}).get("missing", [])
    notes = [f"- {name}: {reason}" for name, reason in left_out.items()]
    if missing:
        notes.append(f"- heldOut without {', '.join(missing)}: not at hand")
    return ["### Left out", "\n".join(notes)] if notes else []


def _stance(card: _Card) -> str:
    found, left_out = card.metrics.get("stance", {}), card.metrics["leftOut"].get("stance", {})
    return stance_section(card.manifest, found, left_out, card.image)


def _links(card: _Card) -> str:
    catalog = shipped_catalog()
    lines = [_template("relevantLinks")]
    for entry in card.manifest.training_data:
        dataset = catalog.get(entry["name"])
        if dataset is None or dataset.task != "civility":
            continue
        repository = f"https://github.com/{dataset.repository}" if dataset.repository else None
        if place := dataset.homepage or repository:
            lines.append(f"- {dataset.title}: <{place}>")
    return "\n".join(lines)


def _template(name: str) -> str:
    return (_TEMPLATES / f"{name}.md").read_text(encoding="utf-8").strip()


_BODIES: dict[str, Callable[[_Card], str]] = {
    "trainingData": _training_data,
    "policyAndTaxonomy": lambda card: _template("policyAndTaxonomy"),
    "annotationMethodology": _annotation,
    "performanceBenchmarks": _benchmarks,
    "biasAndLimitations": _bias,
    "stance": _stance,
    "implementationGuidance": lambda card: _template("implementationGuidance"),
    "relevantLinks": _links,
}
