"""Which rows a sample takes: drawn from all of the input, the same ones on every engine and at every try."""

import random
from bisect import bisect_left
from functools import lru_cache

from app.rescore.job import Job, Part

__all__ = ["chosen_rows"]

_SEED = 20261124


def chosen_rows(job: Job, part: Part) -> frozenset[int] | None:
    """Return the numbers of the rows of a part that are in the sample; None where there is no sample."""
    if job.sample is None:
        return None
    drawn = _drawn(job.total, min(job.sample, job.total))
    first, last = bisect_left(drawn, part.first_row), bisect_left(drawn, part.first_row + part.rows)
    return frozenset(drawn[first:last])


@lru_cache(maxsize=1)
def _drawn(total: int, count: int) -> list[int]:
    return sorted(random.Random(_SEED).sample(range(total), count))
