"""Harsh words denied of somebody and meant of somebody, in sentences written for this project."""

import tomllib
from itertools import product
from pathlib import Path

from data.rows import ATTRIBUTES, CivilityRow, attribute_values

__all__ = ["DENIAL_SOURCE", "FILE", "denial_rows"]

DENIAL_SOURCE = "denial-sentences"
FILE = Path(__file__).with_name("denials.toml")
_DENIED = dict.fromkeys(ATTRIBUTES, 0.0)
_MEANT = _DENIED | {"TOXICITY": 1.0, "INSULT": 1.0}


def denial_rows() -> list[CivilityRow]:
    """Return every sentence with every word; all are of one group and for training only."""
    found: dict[str, list[str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [
        CivilityRow(
            sentence.format(word), attribute_values(known), "en", DENIAL_SOURCE, DENIAL_SOURCE, "train"
        )
        for known, sentences in ((_DENIED, "denied"), (_MEANT, "meant"))
        for sentence, word in product(found[sentences], found["words"])
    ]
