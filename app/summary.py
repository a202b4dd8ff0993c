"""The summary of an article: its stored comments by stance × civility, over time, with intervals."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from app.adjusting import Counted, Estimate, adjust, wilson
from app.error_rates import CIVILITIES, LABELS, STANCES_TOLD, ErrorRates
from app.errors import InvalidRequestError
from app.rounding import rounded
from app.schemas import (
    AdjustedShare,
    ArticleSummary,
    FieldProblem,
    StanceName,
    SummaryCell,
    SummaryPart,
    SummaryPeriod,
)
from app.store.comments import DEFAULT_THRESHOLD, CommentCount

__all__ = ["MOST_PERIODS", "KnownRates", "Period", "summarise", "thresholds_of"]

Period = Literal["hour", "day", "week"]
KnownRates = Mapping[str, Mapping[str, ErrorRates | None]]
"""Version → "stance" or "civility" → its error rates, or None where it states none."""

MOST_PERIODS = 200
_PERIOD_DRAWS = 400
_JOINT = "stance × civility"


def thresholds_of(rates: KnownRates) -> dict[str, float]:
    """Return from which TOXICITY each version's comments count as uncivil."""
    of_civility = {model: known["civility"] for model, known in rates.items()}
    return {model: DEFAULT_THRESHOLD if one is None else one.threshold for model, one in of_civility.items()}


def summarise(
    article: str, premise: str | None, counts: Sequence[CommentCount], rates: KnownRates, by: Period
) -> ArticleSummary:
    """Return the summary of an article's comments.

    Raises:
        InvalidRequestError: there would be more than `MOST_PERIODS` periods.
    """
    models: Counter[str] = Counter()
    periods: dict[datetime, list[CommentCount]] = defaultdict(list)
    for one in counts:
        models[one.model] += one.count
        periods[_begin(one.hour, by)].append(one)
    if len(periods) > MOST_PERIODS:
        message = f"makes {len(periods)} periods, at most {MOST_PERIODS} allowed: choose longer ones"
        problem = FieldProblem(field="by", message=message, limit=MOST_PERIODS)
        raise InvalidRequestError(f"by {message}", [problem])
    return ArticleSummary(
        article=article,
        premise=premise,
        comments=sum(models.values()),
        models=dict(sorted(models.items())),
        stance=_part("stance", counts, rates),
        civility=_part("civility", counts, rates),
        cells=_cells(counts, rates),
        periods=[
            SummaryPeriod(
                begin=begin.isoformat(),
                comments=sum(one.count for one in within),
                stance=_part("stance", within, rates, _PERIOD_DRAWS),
                civility=_part("civility", within, rates, _PERIOD_DRAWS),
            )
            for begin, within in sorted(periods.items())
        ],
    )


def _begin(hour: datetime, by: Period) -> datetime:
    if by == "hour":
        return hour
    day = hour.replace(hour=0)
    return day if by == "day" else day - timedelta(days=day.weekday())


def _part(kind: str, counts: Iterable[CommentCount], rates: KnownRates, draws: int = 1_000) -> SummaryPart:
    truths, labels = LABELS[kind]
    told = _told(kind, counts)
    total: Counter[str] = sum(told.values(), Counter())
    judged, undecided = sum(total.values()), total["uncertain"]
    missing = [model for model in sorted(told) if rates[model][kind] is None]
    adjusted = bool(judged) and not missing
    if adjusted:
        found = adjust(
            [_counted(one, labels, [_known(rates, m, kind)]) for m, one in told.items()], draws=draws
        )
        shares = {truth: _share(total[truth], found, i) for i, truth in enumerate(truths)}
    else:
        shares = {truth: _counted_share(total[truth], judged - undecided) for truth in truths}
    return SummaryPart(
        judged=judged,
        undecided=undecided,
        adjusted=adjusted,
        basis=_basis(kind, told, rates, missing),
        shares=shares,
    )


def _cells(counts: Sequence[CommentCount], rates: KnownRates) -> list[SummaryCell]:
    given = [(stance, civility) for stance in STANCES_TOLD for civility in CIVILITIES]
    truths = [(stance, civility) for stance in LABELS["stance"][0] for civility in CIVILITIES]
    told = _told(_JOINT, counts)
    total: Counter[str] = sum(told.values(), Counter())
    names = [_joined(*pair) for pair in given]
    kinds = ("stance", "civility")
    estimate: Estimate | None = None
    if told and all(rates[model][kind] is not None for model in told for kind in kinds):
        estimate = adjust(
            [_counted(one, names, [_known(rates, m, kind) for kind in kinds]) for m, one in told.items()]
        )
    decided = sum(total[_joined(*pair)] for pair in truths)
    cells = []
    for stance, civility in given:
        count = total[_joined(stance, civility)]
        if (stance, civility) not in truths:
            share = AdjustedShare(count=count, share=None, low=None, high=None)
        elif estimate is not None:
            share = _share(count, estimate, truths.index((stance, civility)))
        else:
            share = _counted_share(count, decided)
        cells.append(
            SummaryCell(
                stance=cast(StanceName, stance),
                civility=cast(Literal["civil", "uncivil"], civility),
                **share.model_dump(),
            )
        )
    return cells


def _told(kind: str, counts: Iterable[CommentCount]) -> dict[str, Counter[str]]:
    """Return model → label → number of comments, of those that have one."""
    told: dict[str, Counter[str]] = {}
    for one in counts:
        civility = None if one.uncivil is None else CIVILITIES[one.uncivil]
        label = {"stance": one.stance, "civility": civility}.get(kind)
        if kind == _JOINT and one.stance is not None and civility is not None:
            label = _joined(one.stance, civility)
        if label is not None:
            told.setdefault(one.model, Counter())[label] += one.count
    return told


def _joined(stance: str, civility: str) -> str:
    return f"{stance}/{civility}"


def _known(rates: KnownRates, model: str, kind: str) -> NDArray[np.float64]:
    known = rates[model][kind]
    assert known is not None
    return known.counts


def _counted(told: Counter[str], labels: Sequence[str], rows: Sequence[NDArray[np.float64]]) -> Counted:
    return Counted(np.array([told[label] for label in labels], dtype=float), rows)


def _share(count: int, found: Estimate, place: int) -> AdjustedShare:
    share, low, high = (rounded(part[place]) for part in (found.share, found.low, found.high))
    return AdjustedShare(count=count, share=share, low=low, high=high)


def _counted_share(count: int, total: int) -> AdjustedShare:
    if total == 0:
        return AdjustedShare(count=count, share=None, low=None, high=None)
    low, high = (rounded(end) for end in wilson(count, total))
    return AdjustedShare(count=count, share=rounded(count / total), low=low, high=high)


def _basis(kind: str, told: Iterable[str], rates: KnownRates, missing: Sequence[str]) -> str:
    if missing:
        return f"unadjusted: no error rates are known of {', '.join(missing)}"
    known = [f"{model}: {one.basis}" for model in sorted(told) if (one := rates[model][kind]) is not None]
    return "; ".join(known) or "unadjusted: there are no comments to adjust"
