"""Golden scores of a release: `python -m training.golden VERSION` writes them beside the tests.

They hold what a version said of a fixed list of comments when it was made. A test loads every shipped
version and compares: an old version must stay loadable and go on giving the same scores.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from data.examples import load_examples
from models import RELEASES, STANCES, Bundle, load_bundle

__all__ = ["FOLDER", "TOLERANCES", "differences", "golden_comments", "golden_scores", "write_golden"]

FOLDER = Path(__file__).parent.parent / "tests" / "models" / "golden"

_WORDS = {"mean": 1e-6, "largest": 1e-5}
_ENCODER = {"mean": 5e-4, "largest": 0.03}
TOLERANCES = {
    "fast": _WORDS,
    "default": _ENCODER,
    "full": _ENCODER,
    "stance": {"mean": 0.01, "largest": 0.15},
}
"""How far the scores of a part may be from the golden ones, in the mean and at most; written beside them.

One machine gives the same bits again. Elsewhere floats may be added up in another order. Where no encoder
reads, that is all. In an encoder an activation that just rounds to the neighbouring integer of its dynamic
quantisation changes what follows, though its integer products are exact (7-bit weights, `reduce_range`).
Measured on release 2026.11.2 by taking other kernels on one machine, onnxruntime's without graph
optimisation: full at most 0.015, in the mean 0.00016; stance at most 0.074, in the mean 0.0043; without
encoder 0, as with other BLAS kernels (OPENBLAS_CORETYPE) and two threads. The bounds are twice that or
more; a model in which something is amiss is far beyond the mean (fast against full: 0.024).
"""

_COMMENTS = "comments.json"
_DECIMALS = 6
_MORE = (
    {"text": "You 1d10t, go and read the r e p o r t, you m0ron."},
    {"text": "🚲 ❤️ !!!"},
    {"text": "Obrigado pela boa reportagem, mas o autor é um idiota completo.", "language": "pt"},
    {"text": "좋은 기사 감사합니다. 하지만 당신은 정말 바보 같아요.", "language": "ko"},
)


def golden_comments() -> list[dict[str, str]]:
    """Return the fixed list: text, and where there is one premise or language. Made at its first use."""
    path = FOLDER / _COMMENTS
    if not path.exists():
        found = [
            {"text": comment.text, "premise": thread.article.premise}
            for thread in load_examples()
            for comment in thread.comments
        ]
        longest = " ".join(one["text"] for one in found[:12])  # read in passages
        path.write_text(_json([*found, {"text": longest}, *_MORE]), encoding="utf-8")
    comments: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return comments


def golden_scores(bundle: Bundle) -> dict[str, list[list[float]]]:
    """Return what a bundle says of the list, by part; each row is a comment of those the part is about.

    `fast`, `default` and `full` are the civility of English comments with no, the recommended and every
    comment read by the encoder, shape (n, 6); `stance` holds the three probabilities and the relevance, shape
    (n, 4); a language's code stands for the scores of its comments.
    """
    comments = golden_comments()
    english = [one["text"] for one in comments if "language" not in one]
    pairs = [(one["premise"], one["text"]) for one in comments if "premise" in one]
    civility, stance = bundle.civility, bundle.stance.assess(pairs)
    found: dict[str, Any] = {
        "fast": civility.predict_proba(english, share=0.0),
        "default": civility.predict_proba(english),
        "full": civility.predict_proba(english, share=1.0),
        "stance": np.column_stack([stance.probabilities[:, : len(STANCES)], stance.relevance]),
    }
    for language in sorted(civility.others_):
        texts = [one["text"] for one in comments if one.get("language") == language]
        if texts:
            found[language] = civility.predict_other(texts, language)
    return {name: np.round(scores, _DECIMALS).tolist() for name, scores in found.items()}


def write_golden(version: str, releases: Path = RELEASES) -> Path:
    """Write the golden scores of a version that has none yet; returns their file.

    Raises:
        FileExistsError: it has some: they are never made anew, for then they would prove nothing.
        BundleError: the version cannot be loaded.
    """
    path = FOLDER / f"{version}.json"
    bundle = load_bundle(releases / version)
    with path.open("x", encoding="utf-8") as file:
        file.write(_golden_json(golden_scores(bundle)))
    return path


def differences(scores: dict[str, list[list[float]]], golden: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Return for each part how far scores are from the golden ones: `mean` and `largest`.

    Raises:
        ValueError: the parts or their shapes differ.
    """
    if scores.keys() != golden.keys():
        raise ValueError(f"the parts are {sorted(scores)}, the golden ones {sorted(golden)}")
    found = {}
    for part, wanted in golden.items():
        apart = np.abs(np.array(scores[part]) - np.array(wanted))
        found[part] = {"mean": float(apart.mean()), "largest": float(apart.max())}
    return found


def _golden_json(scores: dict[str, list[list[float]]]) -> str:
    """One comment a line."""
    parts = []
    for name, rows in scores.items():
        lines = ",\n".join(f"   {row}" for row in rows)
        tolerance = json.dumps(TOLERANCES.get(name, _WORDS))
        parts.append(f' "{name}": {{\n  "tolerance": {tolerance},\n  "scores": [\n{lines}\n  ]\n }}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        sys.stdout.write(f"{write_golden(wanted)}\n")
