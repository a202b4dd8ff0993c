"""How much labels of one article or community help stance there: `python -m training.adaptation_curve`.

ARC's debates are articles, its held-out sides a community. The general model reads every related
comment once; then labels are drawn again and again, and the adapted model is judged on the comments
that were not drawn. The strengths of the shrinkage are chosen on the calibration side; the curve is
that of the test side.
"""

import argparse
import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from data import StanceRow, data_dir, load_plan
from models import STANCES, StanceModel, latest_bundle, load_bundle
from models.adaptation import StanceAdaptation
from training.errors import TrainingError
from training.stance import stance_splits

__all__ = ["SIZES", "Scored", "article_curve", "choose_strengths", "community_curve", "main", "scored"]

SIZES = (0, 5, 10, 20, 50)
"""Numbers of labelled comments of the curve."""

_SOURCE = "arc"
_UNRELATED = "unrelated"
_FEWEST_JUDGED = 8
_DRAWS = 100
_STRENGTHS = tuple(itertools.product((1.0, 2.0, 4.0, 8.0, 16.0, 64.0), (10.0, 30.0, 100.0, 1000.0)))


@dataclass(frozen=True)
class Scored:
    """What the general model says of n related comments: probabilities (n, 3), labels and articles (n,)."""

    probabilities: NDArray[np.float64]
    labels: NDArray[np.str_]
    articles: NDArray[np.str_]

    def of(self, places: NDArray[np.intp]) -> "Scored":
        """Return some of them."""
        return Scored(self.probabilities[places], self.labels[places], self.articles[places])


def scored(model: StanceModel, rows: Sequence[StanceRow]) -> Scored:
    """Score the related rows of ARC.

    Raises:
        TrainingError: there are none.
    """
    related = [row for row in rows if row.source == _SOURCE and row.label != _UNRELATED]
    if not related:
        raise TrainingError("no related comments of arc are held out")
    probabilities = model.predict_proba([(row.premise, row.text) for row in related])
    labels, articles = ([getattr(row, name) for row in related] for name in ("label", "premise"))
    return Scored(probabilities, np.array(labels), np.array(articles))


def article_curve(
    comments: Scored,
    adaptation: StanceAdaptation,
    *,
    sizes: Sequence[int] = SIZES,
    draws: int = _DRAWS,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return a point a size: labels and judged comments are of the same article.

    A size is measured on the articles that have at least 8 comments more; each article counts the same.
    `general` and `adapted` are judged on the same comments. An interval is that of 95 % over articles.
    """
    return _curve(_by_article(comments), adaptation, sizes, draws, seed)


def community_curve(
    comments: Scored,
    adaptation: StanceAdaptation,
    *,
    sizes: Sequence[int] = SIZES,
    draws: int = _DRAWS,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return a point a size: labels are drawn from all articles at once, and so is what is judged."""
    return _curve([comments], adaptation, sizes, draws, seed)


def choose_strengths(
    comments: Scored, *, of_community: bool = False, draws: int = 20, seed: int = 0
) -> StanceAdaptation:
    """Return the adaptation with the least log loss with 5, 10 and 20 labels of an article (a community).

    The default one where no article has comments enough.
    """
    articles = [comments] if of_community else _by_article(comments)
    if max(len(article.labels) for article in articles) < 5 + _FEWEST_JUDGED:
        return StanceAdaptation()
    tried = [StanceAdaptation(prior, slope) for prior, slope in _STRENGTHS]
    losses = []
    for adaptation in tried:
        points = _curve(articles, adaptation, (5, 10, 20), draws, seed)
        losses.append(np.mean([point["adapted"]["log_loss"] for point in points if point["articles"]]))
    return tried[int(np.nanargmin(losses))]


def _by_article(comments: Scored) -> list[Scored]:
    return [comments.of(np.flatnonzero(comments.articles == name)) for name in np.unique(comments.articles)]


def _curve(
    units: Sequence[Scored], adaptation: StanceAdaptation, sizes: Sequence[int], draws: int, seed: int
) -> list[dict[str, Any]]:
    points = []
    for size in sizes:
        enough = [unit for unit in units if len(unit.labels) >= size + _FEWEST_JUDGED]
        point: dict[str, Any] = {"labels": size, "articles": len(enough)}
        if enough:
            chance = np.random.default_rng([seed, size])
            found = [_of_unit(unit, adaptation, size, draws, chance) for unit in enough]
            point |= {name: _means([one[name] for one in found]) for name in ("general", "adapted")}
            gains = np.array([one["general"]["log_loss"] - one["adapted"]["log_loss"] for one in found])
            point["log_loss_gain"] = round(float(gains.mean()), 4)
            if len(gains) > 1:
                means = chance.choice(gains, (2000, len(gains))).mean(axis=1)
                point["log_loss_gain_95"] = np.quantile(means, [0.025, 0.975]).round(4).tolist()
        points.append(point)
    return points


def _of_unit(
    unit: Scored, adaptation: StanceAdaptation, size: int, draws: int, chance: np.random.Generator
) -> dict[str, dict[str, float]]:
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for _ in range(draws if size else 1):
        order = chance.permutation(len(unit.labels))
        labelled, judged = unit.of(order[:size]), unit.of(order[size:])
        adaptation.fit(labelled.probabilities, labelled.labels.tolist())
        adapted = adaptation.predict_proba(judged.probabilities)
        found["general"].append(_figures(judged.probabilities, judged.labels))
        found["adapted"].append(_figures(adapted, judged.labels))
    return {name: _means(figures) for name, figures in found.items()}


def _figures(probabilities: NDArray[np.float64], labels: NDArray[np.str_]) -> dict[str, float]:
    target = np.searchsorted(STANCES, labels)
    likelihood = np.clip(probabilities[np.arange(len(target)), target], 1e-6, 1)
    likeliest = probabilities.argmax(axis=1)
    return {
        "accuracy": float((likeliest == target).mean()),
        "macro_f1": float(
            f1_score(target, likeliest, labels=np.unique(target), average="macro", zero_division=0)
        ),
        "log_loss": float(-np.log(likelihood).mean()),
    }


def _means(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([one[name] for one in figures])), 4) for name in figures[0]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the curves as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.adaptation_curve", description=__doc__)
    parser.add_argument("--bundle", type=Path, help="folder of a bundle (the newest release)")
    parser.add_argument("--data-dir", type=Path, help="folder of the datasets (COUNTERPOINT_DATA_DIR)")
    parser.add_argument("--draws", type=int, default=_DRAWS, help="drawings of labels (100)")
    chosen = parser.parse_args(arguments)
    bundle = load_bundle(chosen.bundle or latest_bundle())
    splits = stance_splits(data_dir(chosen.data_dir))
    seed = load_plan().seed
    calibration, test = (scored(bundle.stance, side) for side in (splits.calibration, splits.test))
    article = choose_strengths(calibration, seed=seed)
    community = choose_strengths(calibration, of_community=True, seed=seed)
    found = {
        "bundle": bundle.version,
        "seed": seed,
        "draws": chosen.draws,
        "strengths": {"article": article.get_params(), "community": community.get_params()},
        "comments": len(test.labels),
        "article": article_curve(test, article, draws=chosen.draws, seed=seed),
        "community": community_curve(test, community, draws=chosen.draws, seed=seed),
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
