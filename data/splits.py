"""Training, calibration and test rows: divided by group, seeded, as written down in `splits.toml`."""

import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from data.errors import SplitError

__all__ = ["SPLITS", "Grouped", "SplitPlan", "Splits", "load_plan", "side_of_groups", "split"]

SPLITS = Path(__file__).with_name("splits.toml")
SIDES = ("train", "calibration", "test")


class Grouped(Protocol):
    """What a row must have to be split."""

    @property
    def group(self) -> str:
        """Return what must not be torn apart."""

    @property
    def source(self) -> str:
        """Return the dataset's folder name."""

    @property
    def official_split(self) -> str | None:
        """Return the publisher's "train", "dev" or "test"."""


Row = TypeVar("Row", bound=Grouped)


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """A seed, the shares of the three sides (their sum is 1), and whose official split counts."""

    seed: int
    train: float
    calibration: float
    test: float
    official: frozenset[str]

    def __post_init__(self) -> None:
        shares = (self.train, self.calibration, self.test)
        if not all(0 < share < 1 for share in shares) or not math.isclose(sum(shares), 1):
            raise SplitError(f"The shares of the splits must lie between 0 and 1 and sum to 1, not {shares}")

    def side(self, group: str, official: Iterable[str] = ()) -> str:
        """Return the side of a group: "train", "calibration" or "test".

        `official` are the official splits ("train", "dev", "test") in which the group has rows.
        """
        if "test" in official:
            return "test"
        if "dev" in official:
            return "calibration"
        digest = sha256(f"{self.seed}:{group}".encode("utf-8", "surrogatepass")).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        if place < self.calibration:
            return "calibration"
        return "test" if place < self.calibration + self.test and "train" not in official else "train"


@dataclass(frozen=True, slots=True)
class Splits(Generic[Row]):
    """The rows of the three sides, each in their order."""

    train: list[Row]
    calibration: list[Row]
    test: list[Row]


def load_plan(path: Path = SPLITS) -> SplitPlan:
    """Read a plan.

    Raises:
        SplitError: it is not TOML, or a field is missing or wrong.
    """
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        shares = {side: float(content["shares"][side]) for side in SIDES}
        return SplitPlan(int(content["seed"]), **shares, official=frozenset(content["sources"]["official"]))
    except (OSError, KeyError, TypeError, ValueError) as fault:
        raise SplitError(f"{path.name} lacks or misuses a field: {fault}") from fault


def side_of_groups(rows: Iterable[Grouped], plan: SplitPlan) -> dict[str, str]:
    """Return the side of every group of these rows."""
    official: dict[str, set[str]] = {}
    for row in rows:
        splits = official.setdefault(row.group, set())
        if row.official_split and row.source in plan.official:
            splits.add(row.official_split)
    return {group: plan.side(group, splits) for group, splits in official.items()}


def split(rows: Sequence[Row], plan: SplitPlan | None = None) -> Splits[Row]:
    """Divide rows by group. Give all rows of a task at once, so that a motion in two sets is seen.

    Without a plan, `splits.toml` counts.
    """
    sides = side_of_groups(rows, plan or load_plan())
    parts: Splits[Row] = Splits([], [], [])
    for row in rows:
        getattr(parts, sides[row.group]).append(row)
    return parts
