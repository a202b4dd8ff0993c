"""The one table that every dataset is read into: a row of civility, a row of stance, and their groups.

A group is what must never be torn apart by a split: a debate, a motion, an article, a thread, or
a text with all its doubles.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ATTRIBUTES",
    "STANCE_LABELS",
    "UNKNOWN",
    "CivilityRow",
    "StanceRow",
    "attribute_matrix",
    "attribute_values",
    "debate_group",
    "mirrored_label",
    "motion_group",
    "squeezed",
    "text_group",
]

ATTRIBUTES = ("TOXICITY", "SEVERE_TOXICITY", "INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK")
STANCE_LABELS = ("agree", "disagree", "neutral", "unrelated")
UNKNOWN = math.nan

# "This house believes that X", "This house would X" and "We should X" put the same motion.
_MOTION_OPENING = re.compile(r"^(this house (believes (that )?|would |supports )|we should )")
_NO_LETTERS_OR_DIGITS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class CivilityRow:
    """One text with what is known of its six attributes.

    `attributes` has length 6 in the order of `ATTRIBUTES`: 1.0 shows it, 0.0 does not, NaN unknown.
    `language` is an ISO 639-1 code. `source` is the dataset's folder name. `official_split` is the
    publisher's "train", "dev" or "test". `parent` is the comment it answers, `premise` the title of
    the article it stands under.
    """

    text: str
    attributes: tuple[float, ...]
    language: str
    source: str
    group: str
    official_split: str | None = None
    parent: str | None = None
    premise: str | None = None


@dataclass(frozen=True, slots=True)
class StanceRow:
    """One text with its stance (one of `STANCE_LABELS`) towards a premise.

    `weight` in [0, 1] is the publisher's confidence in the label, 1.0 where there is none.
    """

    premise: str
    text: str
    label: str
    source: str
    group: str
    official_split: str | None = None
    weight: float = 1.0


def attribute_values(known: Mapping[str, float]) -> tuple[float, ...]:
    """Put known attributes in the order of `ATTRIBUTES`, NaN for the others."""
    return tuple(float(known.get(name, UNKNOWN)) for name in ATTRIBUTES)


def attribute_matrix(rows: Sequence[CivilityRow]) -> NDArray[np.float64]:
    """Return the attributes of all rows, shape (len(rows), 6), NaN for unknown."""
    return np.array([row.attributes for row in rows], dtype=np.float64).reshape(len(rows), len(ATTRIBUTES))


def squeezed(text: str) -> str:
    """Fold case and squeeze whitespace: what two doubles of a text have in common."""
    return " ".join(text.casefold().split())


def text_group(text: str) -> str:
    """Group of a text without a natural one: its doubles fall together, whatever the dataset."""
    digest = hashlib.sha256(squeezed(text).encode("utf-8", "surrogatepass"))
    return f"text:{digest.hexdigest()[:20]}"


def mirrored_label(label: str) -> str:
    """Return what a stance label becomes towards the opposite premise: sides swap, others stay."""
    return {"agree": "disagree", "disagree": "agree"}.get(label, label)


def debate_group(title: str) -> str:
    """Group of a newspaper debate: both of its opposite claims, in every dataset that has it."""
    return f"debate:{squeezed(title)}"


def motion_group(motion: str) -> str:
    """Group of a debating motion, however it opens and is punctuated."""
    words = _NO_LETTERS_OR_DIGITS.sub(" ", motion.casefold()).strip()
    return f"motion:{_MOTION_OPENING.sub('', words)}"
