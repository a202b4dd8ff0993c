"""Which rows teach civility: the sets of the recipe, their weights, their split."""

from pathlib import Path

from data import CivilityRow, SplitPlan, Splits, read_civility, split
from data.checks import CONTRAST_SOURCE, contrast_rows
from data.denials import DENIAL_SOURCE, denial_rows
from data.identities import IDENTITY_SOURCE, identity_rows
from data.weak import CUT_SOURCE, PUBLISHED_SOURCE, cut_rows, published_rows

__all__ = ["CIVILITY_SOURCES", "NATURAL", "PUBLIC_SOURCES", "TRAIN_ONLY", "civility_splits"]

CIVILITY_SOURCES: dict[str, float] = {
    "jigsaw-toxic-comments": 1.0,
    "wiki-toxicity-context": 1.0,
    "fox-news-comments": 0.5,
    "reddit-incivility": 0.5,
    "davidson-2017": 0.2,
    "paradetox": 0.3,
    "toxic-spans": 0.25,
    CUT_SOURCE: 0.25,
    PUBLISHED_SOURCE: 0.25,
    "identity-templates": 1.0,
    IDENTITY_SOURCE: 0.75,
    DENIAL_SOURCE: 0.2,
    CONTRAST_SOURCE: 2.0,
}
"""English sets that train the model, with the weight of a row.

The rows of toxic-spans are nearly all toxic, so that the news topics themselves would be learnt as
toxic: hence each comes with its own text without the toxic spans, as civil, and the published
comments of ARC stand against them. Of identity-templates only the neutral Wikipedia sentences train;
bias is measured on its templates. Tweets and rewritten sentences weigh less: they are unlike comments,
and half of them are toxic. Words that are denied of somebody are for the encoder: n-grams cannot tell them
from words that are meant.
"""

TRAIN_ONLY = frozenset({DENIAL_SOURCE, IDENTITY_SOURCE})
"""Those of them in which the same sentences come again with other words: nothing is judged on them."""

PUBLIC_SOURCES = tuple(
    source
    for source in CIVILITY_SOURCES
    if source not in TRAIN_ONLY | {CUT_SOURCE, PUBLISHED_SOURCE, CONTRAST_SOURCE}
)
"""Those of them that are in the catalog as they are."""

NATURAL = frozenset({"jigsaw-toxic-comments", "wiki-toxicity-context"})
"""Sets in which comments are as toxic as they come: on these the model is calibrated."""


def civility_splits(data_dir: Path, plan: SplitPlan | None = None) -> Splits[CivilityRow]:
    """Read and split the sets of the recipe; sentences on identities and denials written for it only train.

    The templates of identity-templates go to no side: they measure bias.

    Raises:
        DataError: a file is missing or malformed.
    """
    rows = [row for row in read_civility(data_dir, PUBLIC_SOURCES) if not row.group.startswith("template:")]
    rows += [*cut_rows(data_dir), *published_rows(data_dir), *contrast_rows()]
    splits = split(rows, plan)
    splits.train.extend([*identity_rows(), *denial_rows()])
    return splits
