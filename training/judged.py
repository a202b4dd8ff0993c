"""What a report judges, and on which rows: the variants of a civility model, and held-out rows by source."""

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import SupportsFloat, TypeVar

import numpy as np
from numpy.typing import NDArray

from data import CivilityRow, SplitPlan, Splits, StanceRow, load_plan, read_civility, split
from data.checks import CONTRAST_SOURCE, contrast_rows
from data.errors import MissingDataError
from data.weak import CUT_SOURCE, PUBLISHED_SOURCE, cut_rows, published_rows
from models import ATTRIBUTES, CivilityModel, Span
from training.errors import LeftOutError
from training.stance import stance_splits

__all__ = ["Judged", "Rows", "Variant", "drawn", "figure", "variants_of"]

Row = TypeVar("Row")
_OWN = {CUT_SOURCE: cut_rows, PUBLISHED_SOURCE: published_rows}
_BATCH = 256
_TOXICITY = ATTRIBUTES.index("TOXICITY")


def figure(value: SupportsFloat) -> float:
    """Round to the four digits that a report gives."""
    return round(float(value), 4)


def drawn(rows: Sequence[Row], size: int | None, seed: int) -> list[Row]:
    """Return `size` of the rows in their order, drawn by the seed; all of them for None or too few."""
    if size is None or size >= len(rows):
        return list(rows)
    return [rows[place] for place in sorted(random.Random(seed).sample(range(len(rows)), size))]


@dataclass
class Variant:
    """A named way of scoring. Scores are remembered by text, for sections share their rows.

    Attributes:
        name: "fast" or "default".
        predict: texts → probabilities of shape (n, 6), a text's not depending on its neighbours.
        explain: texts → the words that raise an attribute.
        watch: called with the number of texts scored since the last call.
    """

    name: str
    predict: Callable[[Sequence[str]], NDArray[np.float64]]
    explain: Callable[[Sequence[str]], list[list[Span]]]
    watch: Callable[[int], None] = lambda scored: None
    _known: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities in [0, 1], shape (len(texts), 6), columns as in `ATTRIBUTES`."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        for begin in range(0, len(unknown), _BATCH):
            batch = unknown[begin : begin + _BATCH]
            self._known.update(zip(batch, self.predict(batch), strict=True))
            self.watch(len(batch))
        if not texts:
            return np.zeros((0, len(ATTRIBUTES)))
        return np.stack([self._known[text] for text in texts])

    def toxicity(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return TOXICITY alone, shape (len(texts),)."""
        found: NDArray[np.float64] = self(texts)[:, _TOXICITY]
        return found


def variants_of(civility: CivilityModel) -> list[Variant]:
    """Return the fast stage, and the model as it ships where that has an encoder too."""
    if getattr(civility, "encoder", None) is None:
        return [Variant("fast", civility.predict_proba, civility.explain)]
    fast = copy.copy(civility).set_params(share=0.0)
    return [
        Variant("fast", fast.predict_proba, fast.explain),
        Variant("default", civility.predict_proba, civility.explain),
    ]


@dataclass
class Rows:
    """Held-out rows, read when they are asked for.

    Attributes:
        data_dir: folder of the datasets; None where there is none.
        sample: most rows a set, drawn by the split's seed; None for all.
        plan: how rows are split.
    """

    data_dir: Path | None
    sample: int | None = None
    plan: SplitPlan = field(default_factory=load_plan)
    _sides: dict[str, Splits[CivilityRow]] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """The data folder.

        Raises:
            LeftOutError: none is named.
        """
        if self.data_dir is None:
            raise LeftOutError("no data folder is named (--data-dir, or COUNTERPOINT_DATA_DIR)")
        return self.data_dir

    def at_most(self, size: int) -> int:
        """Return `size`, or the sample's size where that is smaller."""
        return size if self.sample is None else min(size, self.sample)

    def side(self, source: str, side: str = "test") -> list[CivilityRow]:
        """Return the rows of one set on one side, "calibration" or "test", as in `civility_splits`.

        Raises:
            LeftOutError: a file of the set is not there.
            DataError: a file is malformed.
        """
        if source not in self._sides:
            self._sides[source] = split(self._read(source), self.plan)
        return drawn(getattr(self._sides[source], side), self.sample, self.plan.seed)

    def templates(self) -> list[CivilityRow]:
        """Return the English identity templates, which no model is trained on.

        Raises:
            LeftOutError: a file is not there.
        """
        rows = self._public("identity-templates")
        return [row for row in rows if row.language == "en" and row.group.startswith("template:")]

    @cached_property
    def stance(self) -> list[StanceRow]:
        """The test rows of every stance set.

        Raises:
            LeftOutError: a file is not there; sets that quote each other are only split together.
        """
        try:
            return stance_splits(self.folder, self.plan).test
        except MissingDataError as error:
            raise LeftOutError(str(error)) from error

    def _read(self, source: str) -> list[CivilityRow]:
        if source == CONTRAST_SOURCE:
            return contrast_rows()
        if source not in _OWN:
            return [row for row in self._public(source) if not row.group.startswith("template:")]
        try:
            return _OWN[source](self.folder)
        except MissingDataError as error:
            raise LeftOutError(str(error)) from error

    def _public(self, source: str) -> list[CivilityRow]:
        try:
            return read_civility(self.folder, [source])
        except MissingDataError as error:
            raise LeftOutError(str(error)) from error


@dataclass(frozen=True)
class Judged:
    """Everything that a section of the report is made from."""

    civility: CivilityModel
    variants: list[Variant]
    rows: Rows

    @property
    def seed(self) -> int:
        """The seed of splits and samples."""
        return self.rows.plan.seed
