import copy
import json
from pathlib import Path

import numpy as np
import pytest

from data.checks import StanceCase, StanceFunction, load_stance_checks
from models import Manifest, StanceModel, load_bundle
from models.stance import StanceScores
from training.evaluate import evaluate
from training.judged import Rows
from training.model_card import card_for_bundle
from training.plots import draw_stance
from training.stance import JUDGED, stance_splits
from training.stance_checks import check_stance, stance_labels
from training.stance_report import STANCE_SECTIONS, JudgedStance, remembering, risk_coverage

FOR, AGAINST = "The city should close the square to cars.", "The city should not close the square to cars."


@pytest.fixture(scope="module")
def judged(bundle_path: Path, small_data: Path) -> JudgedStance:
    return JudgedStance(load_bundle(bundle_path).stance, Rows(small_data))


@pytest.fixture(scope="module")
def sections(judged: JudgedStance) -> dict[str, dict[str, object]]:
    return {name: section(judged) for name, section in STANCE_SECTIONS.items()}


def test_below_half_of_relevance_a_comment_is_unrelated() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1]])
    found = stance_labels(StanceScores(probabilities, np.array([0.5, 0.49, 0.9])))
    assert found.tolist() == ["agree", "unrelated", "disagree"]


def test_a_pair_flips_only_where_both_are_right(judged: JudgedStance) -> None:
    """The tiny model knows words alone: it says the same of both premises, so that nothing flips."""
    said = "I agree with the author. Well said, cars must leave the square."
    sides = [StanceCase(FOR, AGAINST, said, "agree"), StanceCase(AGAINST, FOR, said, "disagree")]
    function = StanceFunction("one", "One", "…", tuple(sides))
    found = check_stance(judged.model, [function])
    assert (found["cases"], found["passed"], found["rate"]) == (2, 1, 0.5)
    assert found["flips"] == {"pairs": 2, "flipped": 0, "rate": 0.0}
    assert found["functions"]["one"]["failed"] == {"cases": [1], "mirrors": [0]}
    assert found["labels"]["agree"]["rate"] == 1.0


def test_a_case_without_a_side_has_nothing_to_flip(judged: JudgedStance) -> None:
    asked = StanceCase(FOR, AGAINST, "When does the council vote on the square and on cars?", "neutral")
    same = StanceCase(FOR, FOR, "Well said, exactly right, cars must leave the square.", "agree")
    functions = [StanceFunction("a", "A", "…", (asked,)), StanceFunction("b", "B", "…", (same,))]
    found = check_stance(judged.model, functions)
    assert found["functions"]["a"]["flips"] == {"pairs": 0, "flipped": 0, "rate": None}
    assert found["flips"]["pairs"] == 1


def test_pairs_that_flip_are_counted_as_one_by_one(shipped_bundle_path: Path) -> None:
    model: StanceModel = load_bundle(shipped_bundle_path).stance
    wanted = ("explicit_disagreement", "off_topic", "alternative_proposed")
    functions = [function for function in load_stance_checks() if function.name in wanted]
    found = check_stance(model, functions)
    for function in functions:
        right = [
            [
                stance_labels(model.assess([(one.premise, one.text)]))[0] == one.label
                for one in (case, case.mirrored)
            ]
            for case in function.cases
        ]
        sided = [
            both
            for both, case in zip(right, function.cases, strict=True)
            if case.label in {"agree", "disagree"}
        ]
        figures = found["functions"][function.name]
        assert figures["passed"] == sum(own for own, _ in right)
        assert (figures["flips"]["pairs"], figures["flips"]["flipped"]) == (len(sided), sum(map(all, sided)))
    assert 0 < found["flips"]["flipped"] < found["flips"]["pairs"]


def test_risk_and_coverage_by_hand() -> None:
    confidence, right = np.array([0.4, 0.9, 0.6, 0.8]), np.array([True, True, False, True])
    found = risk_coverage(confidence, right, floor=0.6)
    assert found["curve"] == [[0.25, 1.0, 0.9], [0.5, 1.0, 0.8], [0.75, 0.6667, 0.6], [1.0, 0.75, 0.4]]
    assert found["at_floor"] == {"confidence": 0.6, "coverage": 0.75, "accuracy": 0.6667}
    undecided = risk_coverage(confidence, right, floor=0.95)
    assert undecided["at_floor"] == {"confidence": 0.95, "coverage": 0.0, "accuracy": None}


def test_every_section_says_on_what_it_was_measured(sections: dict[str, dict[str, object]]) -> None:
    assert all(section["split"] for section in sections.values())
    checks = sections["checks"]
    assert checks["cases"] == sum(len(function.cases) for function in load_stance_checks())


def test_the_confusion_counts_every_related_comment_of_readers_by_its_truth(
    sections: dict[str, dict[str, object]], small_data: Path
) -> None:
    confusion = sections["confusion"]
    assert confusion["labels"] == ["agree", "disagree", "neutral"]
    by_set: dict[str, list[str]] = {source: [] for source in confusion["by_set"]}
    assert set(by_set) == {"arc", "direct-comments", "plain-comments", "written-comments"}
    for row in stance_splits(small_data).test:
        if row.source in by_set:
            by_set[row.source].append(row.label)
    counts = np.array(confusion["rows"])
    assert counts.shape == (3, 3)
    for source, labels in by_set.items():
        counted = np.array(confusion["by_set"][source]).sum(axis=1)
        related = [labels.count(label) for label in confusion["labels"]]
        assert counted.sum() == min(sum(related), JUDGED[source])
        assert counted.tolist() == related or sum(related) > JUDGED[source]
    assert (counts == sum(np.array(one) for one in confusion["by_set"].values())).all()
    held_out = sections["heldOut"]["sources"]
    assert np.trace(confusion["by_set"]["arc"]) / held_out["arc"]["n"] == pytest.approx(
        held_out["arc"]["accuracy"], abs=1e-4
    )


def test_confidence_figures_agree_with_each_other(sections: dict[str, dict[str, object]]) -> None:
    confusion, curve = np.array(sections["confusion"]["rows"]), sections["riskCoverage"]["curve"]
    accuracy = np.trace(confusion) / confusion.sum()
    assert curve[-1][:2] == [1.0, pytest.approx(accuracy, abs=1e-4)]
    bins = sections["calibration"]["reliability"]
    assert sum(rows for *_, rows in bins) == confusion.sum()
    rounding = 0.5e-4 * confusion.sum()  # shares have four decimals
    assert sum(right * rows for _, right, rows in bins) == pytest.approx(np.trace(confusion), abs=rounding)


def test_the_baselines_are_judged_on_the_same_rows(sections: dict[str, dict[str, object]]) -> None:
    held_out, baselines = sections["heldOut"]["sources"], sections["baselines"]
    for source, one in baselines["words"].items():
        assert one["n"] == held_out[source]["n"]
        assert baselines["majority"][source]["macro_f1"] == held_out[source]["majority_macro_f1"]
    assert baselines["words"]["arc"]["macro_f1"] > baselines["majority"]["arc"]["macro_f1"]


def test_a_sample_bounds_every_set(judged: JudgedStance, small_data: Path) -> None:
    small = JudgedStance(judged.model, Rows(small_data, sample=7))
    assert max(len(rows) for rows in small.test.values()) == 7
    assert STANCE_SECTIONS["threads"](small)["threads"] <= 7


def test_a_remembering_model_says_the_same_and_leaves_the_first_alone(shipped_bundle_path: Path) -> None:
    model: StanceModel = load_bundle(shipped_bundle_path).stance
    before = model.encoder.remembered
    pairs = [(FOR, "I agree, well said."), (FOR, "Nonsense. The square needs its cars.")]
    found = remembering(model)
    assert np.array_equal(found.predict_proba(pairs), model.predict_proba(pairs))
    assert found.encoder.remembered > before == model.encoder.remembered
    plain = copy.copy(model)
    plain.encoder = None
    assert remembering(plain) is plain


def test_without_data_checks_and_threads_are_measured_and_the_card_says_so(bundle_path: Path) -> None:
    metrics = evaluate(load_bundle(bundle_path), None)
    assert set(metrics["stance"]) == {"checks", "threads"}
    assert "no data folder is named" in metrics["leftOut"]["stance"]["confusion"]
    card = card_for_bundle(Manifest.read(bundle_path), metrics)
    assert "**English only**" in card
    assert "### Where it fails" in card
    assert "- riskCoverage: no data folder" in card


def test_the_card_and_the_plots_show_the_sections(
    sections: dict[str, dict[str, object]], bundle_path: Path, tmp_path: Path
) -> None:
    drawn = draw_stance(sections, tmp_path)
    assert {path.read_bytes()[:4] for path in drawn.values()} == {b"\x89PNG"}
    assert set(drawn) == {"stance_checks", "stance_reliability", "stance_risk_coverage"}
    metrics = {
        "civility": {},
        "stance": json.loads(json.dumps(sections)),
        "variants": [],
        "sample": None,
        "seed": 1,
        "created": "now",
        "leftOut": {"civility": {}, "stance": {}},
    }
    card = card_for_bundle(Manifest.read(bundle_path), metrics)
    for title in ("Premises never seen", "Confidence", "Functional checks of stance", "Replies"):
        assert f"### {title}" in card
    texts = [case.text for function in load_stance_checks() for case in function.cases]
    assert [text for text in texts if text in card and len(text.split()) > 3] == []


def test_a_card_of_figures_measured_before_stance_was_judged_still_reads(bundle_path: Path) -> None:
    metrics = {
        "civility": {},
        "variants": [],
        "sample": None,
        "seed": 1,
        "created": "then",
        "leftOut": {"civility": {}},
    }
    assert '<a id="stance"></a>' in card_for_bundle(Manifest.read(bundle_path), metrics)
