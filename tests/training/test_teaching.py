"""What the fast stage learns from the encoder."""

import numpy as np

from data import CivilityRow
from data.checks import CONTRAST_SOURCE
from data.rows import attribute_values
from models import ATTRIBUTES, Bundle
from training.civility import taught

KNOWN = attribute_values({"TOXICITY": 1.0, "INSULT": 0.0})


def row(text: str, source: str) -> CivilityRow:
    return CivilityRow(text, KNOWN, "en", source, text)


def test_a_teacher_fills_what_is_unknown_and_doubts_what_is_known(shipped_bundle: Bundle) -> None:
    assert shipped_bundle.civility.encoder is not None
    rows = [
        row("Thank you for the careful report.", "jigsaw-toxic-comments"),
        row("Thank you for the careful report.", CONTRAST_SOURCE),
        row("Thank you. " * 100, "jigsaw-toxic-comments"),
    ]
    mixed, written, long = taught(rows, shipped_bundle.civility.encoder)
    toxicity, insult, threat = (ATTRIBUTES.index(name) for name in ("TOXICITY", "INSULT", "THREAT"))
    assert 0.5 <= mixed[toxicity] < 0.7  # labelled toxic, which the teacher does not believe
    assert 0 <= mixed[insult] < 0.1
    assert 0 <= mixed[threat] < 0.1
    np.testing.assert_array_equal(written, KNOWN)
    np.testing.assert_array_equal(long, KNOWN)
