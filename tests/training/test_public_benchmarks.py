import json
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.cli.evaluate import evaluate
from data import load_plan, shipped_catalog
from data.folder import DATA_DIR_VARIABLE
from data.readers import read_set
from models import load_bundle
from models.stance import StanceScores
from training.public_benchmarks import BENCHMARKS, fnc_score, judge_benchmark


def run(bundle: Path, *options: str) -> Result:
    environment = {"COLUMNS": "200", DATA_DIR_VARIABLE: ""}
    return CliRunner().invoke(app, ["evaluate", str(bundle), *options], env=environment)


def scores(*rows: tuple[float, float, float, float]) -> StanceScores:
    """Rows of agree, disagree, neutral and relevance."""
    found = np.array(rows)
    return StanceScores(found[:, :3], found[:, 3])


def test_fnc_score_by_hand() -> None:
    truth = ["unrelated", "unrelated", "agree", "agree", "disagree", "neutral"]
    found = ["unrelated", "agree", "agree", "neutral", "unrelated", "neutral"]
    # 0.25 + 0 + 1 + 0.25 + 0 + 1 of 2 * 0.25 + 4
    assert fnc_score(truth, found) == {"points": 2.5, "most": 4.5, "weighted": 55.5556}


def test_fnc_score_of_the_truth_and_of_its_opposite() -> None:
    truth = ["unrelated", "agree"]
    assert fnc_score(truth, truth)["weighted"] == 100
    assert fnc_score(truth, ["agree", "unrelated"])["weighted"] == 0


def test_the_official_test_set_can_earn_as_many_points_as_published(real_data: Path) -> None:
    """11,651.25 points, of which always saying "unrelated" earns 39.37 %, as the challenge states."""
    benchmark = BENCHMARKS["fnc-1"]
    rows = benchmark.choose(read_set(real_data, shipped_catalog()[benchmark.dataset]), load_plan())
    assert len(rows) == 25_413
    found = fnc_score([row.label for row in rows], ["unrelated"] * len(rows))
    assert found["most"] == 11_651.25
    assert round(found["weighted"], 2) == 39.37


def test_fnc_labels_come_from_relevance_and_the_likeliest_stance() -> None:
    truth = ["agree", "neutral", "unrelated", "disagree"]
    answers = scores((0.8, 0.1, 0.1, 0.5), (0.1, 0.2, 0.7, 0.9), (0.9, 0.1, 0, 0.49), (0.6, 0.3, 0.1, 0.8))
    figures = BENCHMARKS["fnc-1"].score(truth, answers)
    assert figures["points"] == 1 + 1 + 0.25 + 0.25
    assert figures["confusion"]["rows"] == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    # agree is found twice and right once: F1 2/3; disagree is never found; the others are right
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 0 + 1 + 1) / 4, abs=1e-4)
    assert figures["related_auc"] == 1.0


def test_a_side_is_forced_where_the_benchmark_has_no_neutral() -> None:
    answers = scores((0.3, 0.1, 0.6, 1), (0.1, 0.8, 0.1, 1), (0.2, 0.3, 0.5, 0), (0.6, 0.3, 0.1, 1))
    figures = BENCHMARKS["ibm-argq"].score(["agree", "disagree", "disagree", "disagree"], answers)
    # agree: 1 of 2 right, recall 1; disagree: 2 of 2 right, recall 2/3
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 0.8) / 2, abs=1e-4)
    # by agree less disagree: 0.2 against -0.7, -0.1 and 0.3
    assert figures["auc"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["called_neutral"] == 0.5


def test_arc_tells_stance_on_related_rows_only() -> None:
    answers = scores((0.7, 0.2, 0.1, 0.9), (0.1, 0.8, 0.1, 0.6), (0.2, 0.2, 0.6, 0.2), (0.1, 0.8, 0.1, 0.3))
    figures = BENCHMARKS["arc"].score(["agree", "disagree", "neutral", "unrelated"], answers)
    assert figures["three_class_macro_f1"] == 1.0
    assert figures["agree_disagree_auc"] == 1.0
    assert figures["related_auc"] == pytest.approx(2 / 3, abs=1e-4)  # 0.3 lies above 0.2


def test_arc_rows_are_of_unseen_debates(small_data: Path) -> None:
    plan = load_plan()
    rows = read_set(small_data, shipped_catalog()["stance/arc"])
    chosen = BENCHMARKS["arc"].choose(rows, plan)
    assert {plan.side(row.group) for row in chosen} == {"test"}
    assert {row.label for row in chosen if row.official_split != "test"} == {"agree", "disagree", "neutral"}
    unseen = [row for row in rows if plan.side(row.group) == "test"]
    assert len(chosen) == sum(row.official_split == "test" or row.label != "unrelated" for row in unseen)


def test_a_benchmark_shows_its_figures_and_writes_them(
    bundle_path: Path, small_data: Path, tmp_path: Path
) -> None:
    output = tmp_path / "arc.json"
    options = ("--benchmark", "arc", "--data-dir", str(small_data), "--output", str(output))
    found = run(bundle_path, *options)
    assert found.exit_code == 0, found.output
    written = json.loads(output.read_text(encoding="utf-8"))
    assert written["rows"] == sum(written["labels"].values())
    assert written["figures"]["agree_disagree_auc"] > 0.9  # the words of this data say it outright
    assert "agree disagree auc" in found.stdout
    assert "of the debates on the test side" in found.stdout.replace("\n", " ")
    again = run(bundle_path, *options)
    assert again.exit_code == 1
    assert "use --force" in str(again.exception)
    assert run(bundle_path, *options, "--sample", "9", "--force").exit_code == 0
    assert json.loads(output.read_text(encoding="utf-8"))["rows"] == 9


def test_every_pair_is_judged_whatever_the_batch(bundle_path: Path, small_data: Path) -> None:
    steps: list[tuple[int, int]] = []
    found = judge_benchmark(
        load_bundle(bundle_path), "arc", small_data, progress=lambda done, total: steps.append((done, total))
    )
    assert steps[-1] == (found["rows"], found["rows"])
    assert len(steps) > 2


def test_the_command_knows_every_benchmark(bundle_path: Path) -> None:
    offered = get_args(get_args(get_type_hints(evaluate)["benchmark"])[0])
    assert offered == tuple(BENCHMARKS)
    refused = run(bundle_path)
    assert refused.exit_code == 2
    assert "--output" in refused.output
