import math
from collections import Counter
from dataclasses import replace

from data import CivilityRow, attribute_matrix
from data.checks import CONTRAST_SOURCE
from data.rows import attribute_values
from training.civility_encoder import BROAD, encoder_course


def rows(source: str, size: int, toxicity: float) -> list[CivilityRow]:
    known = attribute_values({"TOXICITY": toxicity})
    return [CivilityRow(f"{source} {toxicity} {i}", known, "en", source, f"g{i}") for i in range(size)]


def test_sets_are_capped_and_contrasts_come_again_and_last() -> None:
    broad, last = encoder_course(
        [
            *rows("wiki-toxicity-context", 3000, 0.0),
            *rows("wiki-toxicity-context", 40, 1.0),
            *rows(CONTRAST_SOURCE, 10, 1.0),
        ]
    )
    counts = Counter(" ".join(example.text.split()[:2]) for example in broad.examples)
    assert counts == {
        "wiki-toxicity-context 0.0": 2500,
        "wiki-toxicity-context 1.0": 40,
        f"{CONTRAST_SOURCE} 1.0": 30,
    }
    sources = Counter(example.text.split()[0] for example in last.examples)
    assert sources == {CONTRAST_SOURCE: 10, "wiki-toxicity-context": 508}


def test_the_draw_is_the_seeds_and_unknown_attributes_stay_unknown() -> None:
    given = rows("paradetox", 5000, 0.0)
    settings = [BROAD, BROAD, replace(BROAD, seed=1)]
    ((first,), (again,), (other,)) = (encoder_course(given, broad) for broad in settings)
    assert first == again
    assert {example.text for example in first.examples} != {example.text for example in other.examples}
    assert first.examples[0].targets == (0.0, None, None, None, None, None)
    assert math.isnan(attribute_matrix(given)[0, 1])
    assert first.examples[0].weight == 0.5


def test_abuse_may_stand_where_the_encoder_does_not_read() -> None:
    long = CivilityRow("x " * 1000, attribute_values({"TOXICITY": 1.0}), "en", "paradetox", "g")
    (broad,) = encoder_course([long])
    assert broad.examples == []
