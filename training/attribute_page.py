"""The attributes with their measured AUC: `python -m training.attribute_page` puts them into the docs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models import ATTRIBUTES, STANCES, Manifest, latest_bundle, verify_bundle
from training.heldout import MAIN_SOURCE

__all__ = ["PAGE", "attribute_table", "with_attribute_table"]

PAGE = Path(__file__).parent.parent / "docs" / "migrating-from-perspective.md"

_BEGIN, _END = "<!-- auc:begin -->\n", "<!-- auc:end -->"
_STANCE_SOURCE = "ibm-argq-rank-30k"
_MEANINGS = {
    "TOXICITY": "is rude, disrespectful or unreasonable, so that others may leave the discussion",
    "SEVERE_TOXICITY": "is full of hate or aggression; a swear word among friends is not enough",
    "INSULT": "belittles or inflames against a person or a group",
    "PROFANITY": "swears, or uses obscene words, whatever for",
    "THREAT": "announces or wishes pain, injury or violence to somebody",
    "IDENTITY_ATTACK": "turns against people because of who they are: origin, religion, sex and the like",
    "STANCE_AGREE": "shares the premise of the article",
    "STANCE_DISAGREE": "opposes the premise; no fault, however sharp the matter",
    "STANCE_NEUTRAL": "takes neither side, or speaks of something else",
}
_NONE = "–"


def attribute_table(manifest: Manifest) -> str:
    """Return what each attribute means and its ROC-AUC on held-out data: on the main set, and the lowest."""
    civility = manifest.metrics["civility"]["sources"]
    stance = manifest.metrics["stance"]["with_encoder"]
    rows = [(name, *_cells(dict(_aucs(civility, name, "roc_auc")), MAIN_SOURCE)) for name in ATTRIBUTES]
    sides = {source: found["agree_disagree_auc"] for source, found in stance.items() if _has_sides(found)}
    for side in STANCES:
        name = f"STANCE_{side.upper()}"
        rows.append((name, *_cells({} if side == "neutral" else sides, _STANCE_SOURCE)))
    lines = [
        "| attribute | how likely a reader would say that the comment … | ROC-AUC | lowest on another set |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {_MEANINGS[name]} | {main} | {lowest} |" for name, main, lowest in rows),
    ]
    opening = (
        f"Bundle {manifest.version}, languages: {', '.join(manifest.languages)}. Measured on English "
        f"comments that trained nothing: {MAIN_SOURCE} for civility; for stance {_STANCE_SOURCE}, those who "
        "agree against those who disagree, with premises never seen."
    )
    return opening + "\n\n" + "\n".join(lines) + "\n"


def with_attribute_table(text: str, manifest: Manifest) -> str:
    """Return `text` with what stands between its two marks replaced.

    Raises:
        ValueError: a mark is missing.
    """
    before, after = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    return text[:before] + "\n" + attribute_table(manifest) + "\n" + text[after:]


def _aucs(sources: Mapping[str, Any], attribute: str, figure: str) -> Iterator[tuple[str, float]]:
    for source, found in sources.items():
        one = found.get(attribute)
        if isinstance(one, dict) and figure in one:
            yield source, one[figure]


def _has_sides(found: Mapping[str, Any]) -> bool:
    return found.get("agree_disagree_auc") is not None


def _cells(aucs: Mapping[str, float], main: str) -> tuple[str, str]:
    others = {source: auc for source, auc in aucs.items() if source != main}
    lowest = min(others, key=others.__getitem__, default=None)
    return (
        f"{aucs[main]:.3f}" if main in aucs else _NONE,
        _NONE if lowest is None else f"{others[lowest]:.3f} ({lowest})",
    )


if __name__ == "__main__":
    filled = with_attribute_table(PAGE.read_text(encoding="utf-8"), verify_bundle(latest_bundle()))
    PAGE.write_text(filled, encoding="utf-8")
