"""Which public datasets exist, how each is fetched and read into one table, and how it is split."""

from data.catalog import Dataset, load_catalog, shipped_catalog
from data.folder import data_dir
from data.readers import read_civility, read_set, read_stance
from data.readers.civility import read_toxic_spans
from data.rows import ATTRIBUTES, STANCE_LABELS, CivilityRow, StanceRow, attribute_matrix
from data.splits import SplitPlan, Splits, load_plan, split

__all__ = [
    "ATTRIBUTES",
    "STANCE_LABELS",
    "CivilityRow",
    "Dataset",
    "SplitPlan",
    "Splits",
    "StanceRow",
    "attribute_matrix",
    "data_dir",
    "load_catalog",
    "load_plan",
    "read_civility",
    "read_set",
    "read_stance",
    "read_toxic_spans",
    "shipped_catalog",
    "split",
]
