"""What the gates ask where a loss is large: whether chance alone would make it, on the very rows judged."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from data import StanceRow, attribute_matrix
from data.checks import load_civility_checks
from data.identities import rows_by_identity
from data.rows import ATTRIBUTES
from models import STANCES, StanceModel
from training.bias import identities_of
from training.checks import THRESHOLD
from training.errors import LeftOutError
from training.judged import Rows, Variant, drawn
from training.metrics import calibration_error, stance_metrics
from training.retraining.chance import auc_loss_by_chance, figure_loss_by_chance, rate_loss_by_chance
from training.stance import judged_rows

__all__ = ["Chance", "civility_chance", "stance_chance"]

Chance = Callable[[str, str], float]
"""(group of gates, name of one) → how probable its loss is by chance alone."""

_TOXICITY = ATTRIBUTES.index("TOXICITY")
_ALL = "all"


def civility_chance(champion: Variant, challenger: Variant, rows: Rows) -> Chance:
    """Return what tells chance from loss for the gates of `civility_gates`."""
    both = champion, challenger

    def of_attribute(group: str, name: str) -> float:
        source, attribute = name.rsplit(" ", 1)
        of_source, column = rows.side(source), ATTRIBUTES.index(attribute)
        truth = attribute_matrix(of_source)[:, column]
        known = np.flatnonzero(~np.isnan(truth))
        texts = [of_source[place].text for place in known]
        positive = truth[known] == 1
        before, after = (variant(texts)[:, column] for variant in both)
        if group == "auc":
            return auc_loss_by_chance(positive, before, after)

        def loss(places: NDArray[np.intp]) -> float:
            errors = [calibration_error(one[places], positive[places]) for one in (before, after)]
            return errors[1] - errors[0]

        return figure_loss_by_chance(loss, [of_source[place].group for place in known], rows.plan.seed)

    def of_identity(name: str) -> float:
        texts, toxic, member = _named(rows, name)
        part = np.where(toxic, ~member, member)  # as in `identity_aucs`
        before, after = (variant.toxicity(texts)[part] for variant in both)
        return auc_loss_by_chance(toxic[part], before, after)

    def of_check(name: str) -> float:
        functions = [one for one in load_civility_checks() if name in (_ALL, one.name)]
        texts = [text for one in functions for text in (*one.civil, *one.toxic)]
        toxic = np.array(
            [side for one in functions for side in (*(False for _ in one.civil), *(True for _ in one.toxic))]
        )
        before, after = ((variant.toxicity(texts) >= THRESHOLD) == toxic for variant in both)
        return rate_loss_by_chance(before, after)

    def of(group: str, name: str) -> float:
        if group == "check":
            return of_check(name)
        return of_identity(name) if group == "bpsn" else of_attribute(group, name)

    return of


def stance_chance(
    champion: StanceModel, challenger: StanceModel, rows: Sequence[StanceRow], seed: int
) -> Chance:
    """Return the same for the gates of `stance_gates`; a premise's rows belong together."""

    def of(group: str, name: str) -> float:
        source, figure = name.rsplit(" ", 1)
        related = [row for row in judged_rows(rows, seed)[source] if row.label in STANCES]
        labels = np.array([row.label for row in related])
        pairs = [(row.premise, row.text) for row in related]
        before, after = (model.predict_proba(pairs) for model in (champion, challenger))

        def loss(places: NDArray[np.intp]) -> float:
            told = labels[places].tolist()
            found = [stance_metrics(one[places], told, STANCES, 0.0) for one in (before, after)]
            if figure not in found[0]:
                return float("nan")
            worse: float = found[0][figure] - found[1][figure]
            return -worse if figure == "ece" else worse

        return figure_loss_by_chance(loss, [row.premise for row in related], seed)

    return of


def _named(rows: Rows, identity: str) -> tuple[list[str], NDArray[np.bool_], NDArray[np.bool_]]:
    """The rows on which bias is judged: texts, whether toxic, and whether they name the identity."""
    try:
        templates = drawn(rows.templates(), rows.sample, rows.plan.seed)
        names: Iterable[set[str]] = [identities_of(row.text) for row in templates]
    except LeftOutError:
        by_identity = rows_by_identity()
        templates = [row for of_one in by_identity.values() for row in of_one]
        names = [{name} for name, of_one in by_identity.items() for _ in of_one]
    toxic = np.array([row.attributes[_TOXICITY] == 1 for row in templates], dtype=bool)
    return [row.text for row in templates], toxic, np.array([identity in of_row for of_row in names])
