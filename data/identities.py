"""Sentences about identities, neutral and hostile, written for this project."""

import tomllib
from itertools import cycle, product
from pathlib import Path
from typing import Any

from data.rows import ATTRIBUTES, CivilityRow, attribute_values

__all__ = ["FILE", "IDENTITY_SOURCE", "identity_rows", "rows_by_identity"]

IDENTITY_SOURCE = "identity-sentences"
FILE = Path(__file__).with_name("identities.toml")
_NEUTRAL = dict.fromkeys(ATTRIBUTES, 0.0)
_ATTACK = {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0, "PROFANITY": 0.0}
_INSULT = {"TOXICITY": 1.0, "INSULT": 1.0, "PROFANITY": 0.0}
_KINDS = (
    (_NEUTRAL, "neutral", ""),
    (_ATTACK, "attack", ""),
    (_NEUTRAL, "kind", "kind"),
    (_INSULT, "unkind", "unkind"),
)
"""What is known of the sentences of a list, and the list of words for their {quality}."""


def identity_rows() -> list[CivilityRow]:
    """Return every sentence with every identity; all are of one group and for training only."""
    found: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    names, rows = cycle(found["words"]["names"]), []
    for known, sentences, qualities in _KINDS:
        quality = cycle(found["words"].get(qualities, [""]))
        for sentence, identity in product(found["sentences"][sentences], found["identity"]):
            text = sentence.format(**identity, name=next(names), quality=next(quality))
            text = text[:1].upper() + text[1:]
            rows.append(
                CivilityRow(text, attribute_values(known), "en", IDENTITY_SOURCE, IDENTITY_SOURCE, "train")
            )
    return rows


def rows_by_identity() -> dict[str, list[CivilityRow]]:
    """Return the same sentences by the identity that they name, spelt as its plural."""
    names = [identity["people"] for identity in tomllib.loads(FILE.read_text(encoding="utf-8"))["identity"]]
    rows = identity_rows()
    return {name: rows[place :: len(names)] for place, name in enumerate(names)}
