"""The held-out figures of a bundle as Markdown: `python -m training.card` puts them into README.md."""

from pathlib import Path
from typing import Any

from models import Manifest, latest_bundle, verify_bundle

__all__ = ["figures", "with_figures"]

_BEGIN, _END = "<!-- figures:begin -->\n", "<!-- figures:end -->"
_README = Path(__file__).parent.parent / "README.md"


def figures(manifest: Manifest) -> str:
    """Return the tables of both models, with split, sizes and seed."""
    seed = manifest.recipe["seed"]
    civility, stance = manifest.metrics["civility"], manifest.metrics["stance"]
    parts = [
        f"Bundle {manifest.version}. Split by group into training, calibration and test "
        f"(`data/splits.toml`, seed {seed}); every figure is on the test split.",
        f"**Civility** (rows: {_sizes(civility['sizes'])}). ECE is the expected calibration error.",
        _civility_table(civility["sources"]),
        f"**Stance** towards premises never seen (rows: {_sizes(stance['sizes'])}). Macro-F1 over stances "
        "that occur in the set; “majority” is what always saying the commonest would reach; AUC is agree "
        "against disagree; “decided” is the share of labels at or above the floor, and “right” how many of "
        "those are; “words” is the AUC of the same model without the pair encoder.",
        _stance_table(stance["with_encoder"], stance["words_only"]),
    ]
    return "\n\n".join(parts) + "\n"


def with_figures(text: str, manifest: Manifest) -> str:
    """Return `text` with what stands between its two marks replaced.

    Raises:
        ValueError: a mark is missing.
    """
    before, after = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    return text[:before] + "\n" + figures(manifest) + "\n" + text[after:]


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{side} {size:,}" for side, size in sizes.items())


def _civility_table(sources: dict[str, Any]) -> str:
    rows = []
    for source, found in sources.items():
        for attribute, one in found.items():
            if isinstance(one, dict) and "roc_auc" in one:
                figures_of = (one["roc_auc"], one["average_precision"], one["ece"])
                rows.append(
                    [source, attribute, f"{one['n']:,}", f"{one['positives']:,}", *map(_three, figures_of)]
                )
    return _table(("set", "attribute", "rows", "positive", "ROC-AUC", "AP", "ECE"), rows)


def _stance_table(sources: dict[str, Any], words_only: dict[str, Any]) -> str:
    names = ("macro_f1", "majority_macro_f1", "agree_disagree_auc")
    rows = [
        [
            source,
            f"{one['n']:,}",
            *(_three(one.get(name)) for name in names),
            _three(words_only.get(source, {}).get("agree_disagree_auc")),
            *(_three(one.get(name)) for name in ("ece", "decided", "decided_accuracy", "relevance_auc")),
        ]
        for source, one in sources.items()
    ]
    header = (
        "set",
        "pairs",
        "macro-F1",
        "majority",
        "AUC",
        "words",
        "ECE",
        "decided",
        "right",
        "relevance AUC",
    )
    return _table(header, rows)


def _table(header: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    _README.write_text(
        with_figures(_README.read_text(encoding="utf-8"), verify_bundle(latest_bundle())), encoding="utf-8"
    )
