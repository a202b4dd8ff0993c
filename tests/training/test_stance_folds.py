"""The study in folds: no debate on two sides of a fold, and figures that say of how many runs they are."""

import random

import numpy as np
import pytest

from data import StanceRow
from data.published import PUBLISHED_SOURCE
from training.stance_baselines import word_baseline
from training.stance_folds import FOLDS, WAYS, folds_of, one_premise_a_side, summary
from training.stance_readings import READINGS, Read

WRITTEN = (("Parks", "agree"), ("Green", "agree"), ("Shut", "disagree"), ("Bus", "neutral"))


def debates(count: int = 12) -> list[StanceRow]:
    rows = []
    for place in range(count):
        group = f"debate:{place}"
        for side, label in (("Open", "agree"), ("Close", "disagree")):
            for comment in ("Yes", "By all means"):
                rows.append(StanceRow(f"{side} park {place}", f"{comment}, {place}", label, "arc", group))
        rows.append(StanceRow(f"Open park {place}", f"When, {place}?", "neutral", "arc", group))
        rows.append(StanceRow(f"Open park {place}", f"Yes, {(place + 1) % count}", "unrelated", "arc", group))
        rows.append(StanceRow(f"Open park {place}", f"It is green, {place}", "agree", "arct-reasons", group))
        for premise, label in WRITTEN:
            rows.append(StanceRow(f"{premise} {place}", f"Yes, {place}", label, PUBLISHED_SOURCE, group))
    return rows


def test_every_related_comment_is_judged_once_and_taught_in_no_fold_that_judges_it() -> None:
    rows = debates()
    folds = folds_of(rows)
    assert len(folds) == FOLDS
    judged = [row for fold in folds for row in fold.judged if row.label != "unrelated"]
    related = [row for row in rows if row.source == "arc" and row.label != "unrelated"]
    assert sorted(judged, key=repr) == sorted(related, key=repr)
    for fold in folds:
        sides = [{row.group for row in part} for part in (fold.taught, fold.head, fold.judged)]
        assert all(sides)
        assert not sides[0] & sides[1]
        assert not sides[1] & sides[2]
        assert not sides[0] & sides[2]
        held = {row.text for row in (*fold.head, *fold.judged) if row.label != "unrelated"}
        assert not held & {row.text for row in fold.taught}
        assert {row.source for row in (*fold.head, *fold.judged)} == {"arc"}
        assert {(row.source, row.group) for row in fold.written} == {(PUBLISHED_SOURCE, g) for g in sides[2]}
        assert {row.label for row in fold.written} == {"agree", "disagree"}


def test_of_published_comments_one_premise_of_a_side_is_kept() -> None:
    rows = debates()
    kept = one_premise_a_side(rows, random.Random(1))
    published = [row for row in kept if row.source == PUBLISHED_SOURCE]
    assert len(published) == len({(row.text, row.label) for row in rows if row.source == PUBLISHED_SOURCE})
    assert {row.premise.split()[0] for row in published} == {premise for premise, _ in WRITTEN}
    assert len(kept) - len(published) == sum(row.source != PUBLISHED_SOURCE for row in rows)


def test_the_summary_tells_mean_and_spread_of_all_runs() -> None:
    def run(way: str, seed: int, fold: int, auc: float) -> dict[str, object]:
        figures = {"n": 10, "agree_disagree_auc": auc, "macro_f1": 0.5}
        return {"way": way, "seed": seed, "fold": fold, "readings": {"whole": figures}}

    found = summary([run("lesson", 2, 0, 0.7), run("broad", 1, 0, 0.6), run("lesson", 1, 0, 0.8)])
    assert list(found) == ["broad", "lesson"]
    assert found["lesson"]["title"] == WAYS["lesson"].title
    assert found["lesson"]["seeds"] == [1, 2]
    assert found["lesson"]["readings"] == {
        "whole": {
            "title": READINGS["whole"][0],
            "runs": 2,
            "pairs": 20,
            "agree_disagree_auc": [0.75, 0.05],
            "macro_f1": [0.5, 0.0],
        }
    }


def test_a_way_words_premise_and_text_as_it_teaches_them() -> None:
    (asked,) = WAYS["worded"].asked([StanceRow("Open it", "No", "disagree", "arc", "debate:1")])
    assert (asked.premise, asked.text) == ("The author argues: Open it", "A reader replies: No")
    assert asked.label == "disagree"


@pytest.mark.parametrize("reading", READINGS)
def test_a_reading_makes_one_row_of_logits_of_what_the_encoder_says(reading: str) -> None:
    whole = np.array([1.0, 0.0, 0.5, 0.0])
    parts = np.array([[2.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0]])
    windows = np.array([[0.0, 0.0, 4.0, 0.0], [2.0, 0.0, 0.0, 0.0]])
    wanted = {
        "whole": whole,
        "sentences": [1.0, 1.5, 0.0, 0.0],
        "windows": [1.0, 0.0, 2.0, 0.0],
        "opening": parts[0],
        "closing": parts[1],
        "ends": [1.0, 1.5, 0.0, 0.0],
        "strongest": parts[1],
        "both": [2.0, 1.5, 0.5, 0.0],
    }
    np.testing.assert_allclose(READINGS[reading][1](Read(whole, parts, windows)), wanted[reading])


def test_words_tell_stances_that_have_their_own_words() -> None:
    words = {"agree": "splendid reasoning", "disagree": "utter nonsense", "neutral": "which street"}
    rows = [
        StanceRow("Open it", f"{said} {n}", label, "arc", "g")
        for label, said in words.items()
        for n in (1, 2)
    ]
    found = word_baseline(rows)(rows)
    assert found.argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2]
