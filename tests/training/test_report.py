import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner, Result

from app.cli import app
from data.folder import DATA_DIR_VARIABLE
from models import Manifest, load_bundle
from models.civility import Stages
from training.cascade import mixed
from training.civility_sets import civility_splits
from training.disagreement import disagreement_gap
from training.errors import ReportError
from training.evaluate import evaluate
from training.judged import Rows
from training.model_card import SECTIONS, card_for_bundle
from training.robustness import buried

HEADER = "template,toxicity,phrase\n"
WORDS = {"toxic": ("vile", "stupid idiot"), "nontoxic": ("fine", "kind")}


@pytest.fixture(scope="module")
def data(small_data: Path) -> Path:
    """The small datasets, with templates that name identities and with enough toxic spans."""
    phrases = [
        f"you_are_adj,{label},You are a {word} {identity}\n"
        for label, words in WORDS.items()
        for word in words
        for identity in ("gay", "muslim", "older")
    ]
    templates = small_data / "civility/identity-templates/en_sentence_templates.csv"
    templates.write_text(HEADER + "".join(phrases))
    marked = [f'"[4, 5, 6, 7, 8]",You idiot of number {i}\n' for i in range(80)]
    (small_data / "civility/toxic-spans/tsd_train.csv").write_text("spans,text\n" + "".join(marked))
    return small_data


def run(bundle: Path, output: Path, *options: str, **environment: str) -> Result:
    command = ["evaluate", str(bundle), "--output", str(output), *options]
    return CliRunner().invoke(app, command, env={"COLUMNS": "200", DATA_DIR_VARIABLE: "", **environment})


@pytest.fixture(scope="module")
def written(data: Path, bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    output = tmp_path_factory.mktemp("written") / "report"
    found = run(bundle_path, output, "--data-dir", str(data))
    assert found.exit_code == 0, found.output
    return output, found


def test_every_section_says_on_what_it_was_measured(written: tuple[Path, Result]) -> None:
    metrics = json.loads((written[0] / "metrics.json").read_text(encoding="utf-8"))
    wanted = {"checks", "heldOut", "bias", "disagreement", "evasion", "spans", "longComments"}
    assert wanted <= set(metrics["civility"])
    assert all(section["split"] for section in metrics["civility"].values())
    assert metrics["sample"] is None
    assert metrics["seed"] == 20261123
    jigsaw = metrics["civility"]["heldOut"]["variants"]["fast"]["sources"]["jigsaw-toxic-comments"]
    assert 0 < jigsaw["rows"] < 700
    assert jigsaw["TOXICITY"]["roc_auc"] > 0.9
    counts = jigsaw["TOXICITY"]["histogram"]
    assert sum(counts["negative"]) + sum(counts["positive"]) == jigsaw["TOXICITY"]["n"]
    assert set(metrics["civility"]["bias"]["variants"]["fast"]["identities"]) == {"gay", "muslim", "older"}
    spans = metrics["civility"]["spans"]
    assert 0 < spans["rows"] < 40
    assert set(spans["variants"]["fast"]["rule"]) == {"attributes", "threshold", "share", "gap"}


def test_no_comment_stands_in_the_report(written: tuple[Path, Result], data: Path) -> None:
    text = "".join(
        (written[0] / name).read_text(encoding="utf-8") for name in ("metrics.json", "model-card.md")
    )
    rows = civility_splits(data).test
    assert rows
    assert [row.text for row in rows if row.text in text and len(row.text.split()) > 2] == []


def test_the_card_has_the_sections_of_roost_and_shows_every_plot(written: tuple[Path, Result]) -> None:
    card = (written[0] / "model-card.md").read_text(encoding="utf-8")
    anchors = re.findall(r'^<a id="(\w+)"></a>$', card, re.MULTILINE)
    assert anchors == list(SECTIONS)
    plots = {path.relative_to(written[0]).as_posix() for path in (written[0] / "plots").iterdir()}
    assert {"plots/roc.png", "plots/identities.png", "plots/checks.png", "plots/evasion.png"} <= plots
    assert set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", card)) == plots


def test_the_page_loads_nothing(written: tuple[Path, Result]) -> None:
    page = BeautifulSoup((written[0] / "model-card.html").read_text(encoding="utf-8"), "html.parser")
    assert [section["id"] for section in page.find_all("section")] == list(SECTIONS)
    assert [link["href"] for link in page.nav.find_all("a")] == [f"#{anchor}" for anchor in SECTIONS]
    images = [str(image["src"]) for image in page.find_all("img")]
    assert len(images) >= 7
    assert all(source.startswith("data:image/png;base64,") for source in images)
    assert page.find_all(["script", "link"]) == []
    assert len(page.find_all("table")) > 6


def test_the_terminal_shows_figures_and_the_checks_by_function(written: tuple[Path, Result]) -> None:
    assert "functional checks passed" in written[1].stdout
    assert "Checks by function" in written[1].stdout
    assert "Identity words in neutral sentences" in written[1].stdout


def test_without_data_the_checks_alone_are_measured(bundle_path: Path, tmp_path: Path) -> None:
    found = run(bundle_path, tmp_path / "report", "--no-plots")
    assert found.exit_code == 0, found.output
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["civility"]) == {"checks"}
    assert "no data folder is named" in metrics["leftOut"]["civility"]["heldOut"]
    assert not (tmp_path / "report" / "plots").exists()
    assert "left out: heldOut" in found.stdout


def test_what_is_missing_is_left_out_and_named(bundle_path: Path, tiny_data: Path, tmp_path: Path) -> None:
    for gone in ("civility/davidson-2017/labeled_data.csv", "stance/arc/arc_bodies.csv"):
        (tiny_data / gone).unlink()
    found = run(bundle_path, tmp_path / "report", "--no-plots", "--data-dir", str(tiny_data))
    assert found.exit_code == 0, found.output
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert {"davidson-2017", "published-comments"} <= set(metrics["civility"]["heldOut"]["missing"])
    assert "arc_bodies.csv" in metrics["leftOut"]["civility"]["disagreement"]
    assert "davidson-2017" in (tmp_path / "report" / "model-card.md").read_text(encoding="utf-8")


def test_a_sample_is_stated(bundle_path: Path, data: Path, tmp_path: Path) -> None:
    found = run(bundle_path, tmp_path / "look", "--no-plots", "--data-dir", str(data), "--sample", "30")
    assert found.exit_code == 0, found.output
    metrics = json.loads((tmp_path / "look" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["sample"] == 30
    sources = metrics["civility"]["heldOut"]["variants"]["fast"]["sources"]
    assert max(one["rows"] for one in sources.values()) == 30
    assert "at most 30 rows a set" in (tmp_path / "look" / "model-card.md").read_text(encoding="utf-8")


def test_a_folder_in_use_is_refused_unless_forced(bundle_path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    refused = run(bundle_path, tmp_path, "--no-plots")
    assert refused.exit_code == 1
    assert "is not empty" in str(refused.exception)
    assert run(bundle_path, tmp_path, "--no-plots", "--force").exit_code == 0
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert (tmp_path / "metrics.json").exists()


def test_a_model_of_another_split_is_not_judged_on_this_one(bundle_path: Path, tiny_data: Path) -> None:
    bundle = load_bundle(bundle_path)
    then = {"seed": 1, "trained": ["civility", "stance"]}
    later = {"seed": 20261123, "trained": ["stance"], "base": {"version": "2026.1.0", "recipe": then}}
    for recipe in (then, later):
        other = replace(bundle, manifest=replace(bundle.manifest, recipe=recipe))
        with pytest.raises(ReportError, match="trained on another split"):
            evaluate(other, tiny_data)
        assert evaluate(other, None)["civility"].keys() == {"checks"}


def test_without_matplotlib_one_line_says_what_to_install(
    bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused = run(bundle_path, tmp_path / "report")
    assert refused.exit_code == 1
    assert "pip install 'counterpoint[report]'" in str(refused.exception)
    assert not (tmp_path / "report").exists()


def test_rows_are_split_as_the_recipe_splits_them(data: Path) -> None:
    splits, rows = civility_splits(data), Rows(data)
    for side in ("calibration", "test"):
        by_recipe = getattr(splits, side)
        for source in {row.source for row in by_recipe}:
            wanted = [row.text for row in by_recipe if row.source == source]
            assert [row.text for row in rows.side(source, side)] == wanted


def test_a_card_for_the_bundle_has_figures_but_no_plots(
    written: tuple[Path, Result], bundle_path: Path
) -> None:
    metrics = json.loads((written[0] / "metrics.json").read_text(encoding="utf-8"))
    card = card_for_bundle(Manifest.read(bundle_path), metrics)
    assert "![" not in card
    assert "functional checks passed" in card


def test_what_a_manifest_says_is_never_obeyed_as_markup(
    written: tuple[Path, Result], bundle_path: Path
) -> None:
    metrics = json.loads((written[0] / "metrics.json").read_text(encoding="utf-8"))
    found = Manifest.read(bundle_path).to_dict()
    found["training_data"] = [{"name": "civility/<img src=x>|", "licence": "none", "rows": 1, "files": {}}]
    assert "<img" not in card_for_bundle(Manifest.from_dict(found), metrics)


def test_the_gap_between_disagreeing_and_agreeing_by_hand() -> None:
    toxicity = np.array([0.6, 0.2, 0.6, 0.8])
    labels = ["agree", "agree", "disagree", "disagree"]
    found = disagreement_gap(toxicity, labels, ["a", "b", "a", "b"], seed=1)
    assert found["agree"] == {"rows": 2, "mean": 0.4, "at_half": 0.5, "at_0_3": 0.5}
    assert found["disagree"]["at_half"] == 1.0
    gap = found["gap"]
    assert (gap["at_half"]["points"], gap["mean"]["points"]) == (50.0, 30.0)
    # Group a alone has no gap, group b alone has one of 100 points.
    assert gap["at_half"]["interval"] == [0.0, 100.0]
    assert disagreement_gap(toxicity, labels, ["a", "b", "a", "b"], seed=1) == found


def test_the_most_doubtful_comments_go_to_the_encoder_first() -> None:
    fast, full = np.zeros((4, 6)), np.ones((4, 6))
    doubt = np.array([0.1, 0.9, 0.5, 0.5])
    stages = Stages(fast, full, doubt)
    assert mixed(stages, np.inf)[:, 0].tolist() == [0, 0, 0, 0]
    assert mixed(stages, float(doubt.max()))[:, 0].tolist() == [0, 1, 0, 0]
    assert mixed(stages, -np.inf)[:, 0].tolist() == [1, 1, 1, 1]
    assert not fast.any()


def test_an_insult_is_put_at_the_end_of_long_text() -> None:
    without, within = buried(["one two", "three"], ["Fool!", "Clown!"], size=3, length=30)
    assert all(len(text) >= 29 for text in without)
    assert without[1].startswith("three one two")
    assert [text.removeprefix(plain) for plain, text in zip(without, within, strict=True)] == [
        " Fool!",
        " Clown!",
        " Fool!",
    ]
