"""A challenger beside the champion: what is noted of a comment that both scored, and what it comes to."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from app.adjusting import wilson
from app.observing.counts import DIFFERENCE_EDGES, Comparison, Difference, Observations, added
from app.schemas import ScoreAnswer

__all__ = ["ShadowReport", "agreement", "compare", "shadow_reports"]


def compare(comparison: Comparison, champion: ScoreAnswer, challenger: ScoreAnswer) -> None:
    """Count one comment that both have scored."""
    comparison.comments += 1
    _count(comparison.decisions, champion.decision.action, challenger.decision.action)
    if champion.stance is not None and challenger.stance is not None:
        _count(comparison.stances, champion.stance.general_label, challenger.stance.general_label)
    if champion.civility is None or challenger.civility is None:
        return
    others = challenger.civility.attributes
    for name, score in champion.civility.attributes.items():
        if name in others:
            moved = others[name] - score
            difference = comparison.attributes.setdefault(name, Difference())
            difference.comments += 1
            difference.sum += moved
            difference.sum_of_absolutes += abs(moved)
            difference.bins[bisect_right(DIFFERENCE_EDGES, round(abs(moved), 6))] += 1


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """A comparison over several days."""

    champion: str
    challenger: str
    first_day: str
    last_day: str
    comparison: Comparison


def shadow_reports(
    observations: Observations, *, champion: str | None = None, challenger: str | None = None
) -> Iterator[ShadowReport]:
    """Yield one report a pair of versions, over all days on which they were compared, the latest pair last.

    Args:
        observations: what was counted.
        champion: only this one.
        challenger: only this one.
    """
    pairs: dict[tuple[str, str], list[str]] = {}
    for day, of_day in sorted(observations.shadow.items()):
        for one, challengers in of_day.items():
            for other in challengers:
                if champion in (None, one) and challenger in (None, other):
                    pairs.setdefault((one, other), []).append(day)
    for (one, other), days in sorted(pairs.items(), key=lambda item: item[1][-1]):
        parts = [
            Observations(shadow={"": {one: {other: observations.shadow[day][one][other]}}}) for day in days
        ]
        yield ShadowReport(one, other, days[0], days[-1], added(parts).shadow[""][one][other])


def agreement(table: dict[str, dict[str, int]]) -> tuple[float, float, float] | None:
    """Return the share on the diagonal and its 95 % interval (Wilson 1927); None where nothing is counted."""
    n = sum(sum(row.values()) for row in table.values())
    if n == 0:
        return None
    same = sum(row.get(name, 0) for name, row in table.items())
    return same / n, *wilson(same, n)


def _count(table: dict[str, dict[str, int]], row: str, column: str) -> None:
    of_row = table.setdefault(row, {})
    of_row[column] = of_row.get(column, 0) + 1
