import importlib.util
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.error_rates import LABELS, error_rates_of
from app.store.comments import CommentCount
from app.summary import summarise
from data import load_plan
from models import ATTRIBUTES, Bundle, load_bundle, save_bundle
from models.drift import DRIFT_REFERENCE, DriftReference, psi
from models.encoder import ENCODER_CLASSES, PairEncoder
from training.build import Order, build
from training.civility_sets import NATURAL, civility_splits
from training.errors import MissingExtraError, TrainingError
from training.evaluate import check_split
from training.finetuning import FineTuning

TEXTS = ["You are an idiot.", "Thank you for the link.", "Muslims vote in this district too."]
PAIRS = [("The park should open", "I agree, well said."), ("The park should open", "I disagree, nonsense.")]
N_BITS = 12


@pytest.fixture(scope="module")
def built(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("built") / "2026.1.0"
    build(Order(small_data, folder, encoder="none", n_bits=N_BITS))
    return load_bundle(folder)


def test_the_models_learn_what_the_data_says(built: Bundle) -> None:
    toxicity = built.civility.predict_proba(TEXTS)[:, 0]
    assert toxicity[0] > 0.8 > 0.3 > toxicity[1]
    assert built.stance.predict_proba(PAIRS).argmax(axis=1).tolist() == [0, 1]


def test_held_out_figures_name_their_split_and_size(built: Bundle) -> None:
    figures = built.manifest.metrics
    assert figures["civility"]["split"] == figures["stance"]["split"] == "test"
    jigsaw = figures["civility"]["sources"]["jigsaw-toxic-comments"]["TOXICITY"]
    assert 0 < jigsaw["n"] < 700
    assert jigsaw["roc_auc"] > 0.95
    arc = figures["stance"]["words_only"]["arc"]
    assert arc["n"] > 10
    assert arc["macro_f1"] > arc["majority_macro_f1"]
    assert built.manifest.recipe["seed"] == 20261123
    names = {entry["name"] for entry in built.manifest.training_data}
    assert {"civility/jigsaw-toxic-comments", "stance/arc"} <= names
    assert {"counterpoint/contrasts", "counterpoint/denials", "counterpoint/identities"} <= names


def test_the_bundle_carries_what_drift_is_measured_against(built: Bundle, small_data: Path) -> None:
    reference = DriftReference.of(built.version, built.manifest.metrics)
    assert reference is not None
    natural = [row for row in civility_splits(small_data).calibration if row.source in NATURAL]
    assert reference.rows == len(natural) > 0
    scores = built.civility.predict_proba([row.text for row in natural])
    for column, name in enumerate(ATTRIBUTES):
        distribution = reference.scores[name]
        counted = [0] * len(distribution.shares)
        for score in np.round(scores[:, column], 4):
            counted[distribution.bin_of(score)] += 1
        assert psi(distribution.shares, counted) < 0.001
    assert sum(reference.languages.values()) == pytest.approx(1)
    assert reference.languages["en"] > 0.5


def test_the_bundle_carries_the_error_rates_that_summaries_are_corrected_by(built: Bundle) -> None:
    hour = datetime(2026, 11, 2, 9, tzinfo=UTC)
    for kind, (truths, _) in LABELS.items():
        rates = error_rates_of(built.manifest.metrics, kind)
        assert rates is not None, kind
        assert rates.counts.shape[0] == len(truths)
        assert "test split" in rates.basis
    rates_of = {built.version: {kind: error_rates_of(built.manifest.metrics, kind) for kind in LABELS}}
    counts = [CommentCount(built.version, hour, stance, False, 10) for stance in ("agree", "uncertain")]
    summary = summarise("a", "A premise.", counts, rates_of, "day")
    assert summary.stance.adjusted
    assert summary.civility.adjusted
    assert sum(one.share or 0 for one in summary.stance.shares.values()) == pytest.approx(1, abs=0.001)


def test_a_bundle_gets_its_error_rates_afterwards_without_training(
    built: Bundle, small_data: Path, tmp_path: Path
) -> None:
    without = {
        task: {name: one for name, one in built.manifest.metrics[task].items() if name != "confusion"}
        for task in ("civility", "stance")
    }
    old = tmp_path / "2026.1.1"
    documents = {"model-card.md": "# Card\n"}
    save_bundle(
        old,
        built.civility,
        built.stance,
        version=old.name,
        recipe=built.manifest.recipe,
        metrics=without,
        documents=documents,
    )
    assert error_rates_of(load_bundle(old).manifest.metrics, "stance") is None
    command = ["models", "restate", str(old), "--output", str(tmp_path / "2026.1.2")]
    done = CliRunner().invoke(app, [*command, "--data-dir", str(small_data)])
    assert done.exit_code == 0, done.output
    found = load_bundle(tmp_path / "2026.1.2")
    for task in ("civility", "stance"):
        assert found.manifest.metrics[task] == built.manifest.metrics[task]
    reference = found.manifest.metrics[DRIFT_REFERENCE]
    assert reference["scores"] == built.manifest.metrics[DRIFT_REFERENCE]["scores"]
    np.testing.assert_array_equal(found.stance.predict_proba(PAIRS), built.stance.predict_proba(PAIRS))
    assert "has the models of 2026.1.1" in (found.path / "model-card.md").read_text()
    check_split(found.manifest, load_plan(), "stance")


def test_the_same_data_and_seed_give_the_same_predictions(
    built: Bundle, small_data: Path, tmp_path: Path
) -> None:
    build(Order(small_data, tmp_path / "again", encoder="none", n_bits=N_BITS))
    again = load_bundle(tmp_path / "again")
    np.testing.assert_array_equal(again.civility.predict_proba(TEXTS), built.civility.predict_proba(TEXTS))
    np.testing.assert_array_equal(again.stance.predict_proba(PAIRS), built.stance.predict_proba(PAIRS))
    assert again.manifest.metrics == built.manifest.metrics


def test_training_one_model_keeps_the_other(built: Bundle, small_data: Path, tmp_path: Path) -> None:
    build(Order(small_data, tmp_path / "next", "civility", built.path, "none", n_bits=N_BITS - 2))
    found = load_bundle(tmp_path / "next")
    np.testing.assert_array_equal(found.stance.predict_proba(PAIRS), built.stance.predict_proba(PAIRS))
    assert not np.array_equal(found.civility.predict_proba(TEXTS), built.civility.predict_proba(TEXTS))
    assert found.manifest.metrics["stance"] == built.manifest.metrics["stance"]
    assert found.manifest.recipe["base"]["version"] == built.version


def test_an_existing_bundle_is_refused_before_any_work(built: Bundle, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="exists: a bundle is never overwritten"):
        build(Order(tmp_path / "no-data", built.path))


def test_training_one_model_needs_a_base(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs a base bundle"):
        build(Order(tmp_path, tmp_path / "x", only="stance"))


def test_a_base_without_encoder_has_none_to_keep(built: Bundle, small_data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no pair encoder to keep"):
        build(Order(small_data, tmp_path / "x", "stance", built.path, "keep"))


def test_the_command_trains_shows_and_verifies(small_data: Path, built: Bundle, tmp_path: Path) -> None:
    run, before = CliRunner(), [*logging.getLogger("counterpoint").handlers]
    output = tmp_path / "cli"
    command = ["train", "--output", str(output), "--data-dir", str(small_data), "--only", "stance"]
    found = run.invoke(app, [*command, "--base", str(built.path), "--encoder", "none"])
    assert found.exit_code == 0, found.output
    assert logging.getLogger("counterpoint").handlers == before
    assert f"saved cli in {output}" in found.output.replace("\n", " ")
    shown = run.invoke(app, ["models", "show", str(output), "--json"])
    assert json.loads(shown.stdout)["recipe"]["trained"] == ["stance"]
    assert run.invoke(app, ["models", "verify", str(output)]).exit_code == 0
    assert "arc" in run.invoke(app, ["models", "show", str(output)]).stdout
    judged = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    assert judged["bundle"] == "cli"
    assert judged["stance"]["checks"]["cases"] > 300


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="the extra train is installed")
def test_without_the_extra_the_error_says_what_to_install(small_data: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'counterpoint\[train\]'"):
        build(Order(small_data, tmp_path / "x", scratch=tmp_path))


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs the extra train")
@pytest.mark.filterwarnings("ignore")  # PyTorch's exporter warns of itself
def test_an_interrupted_fine_tuning_goes_on_where_it_was(tmp_path: Path) -> None:
    from training.finetuning import Example, FineTuned, Stage, fine_tune

    said = (("I agree.", (1.0, 0.0, 0.0, 0.0)), ("I disagree, nonsense.", (0.0, 1.0, 0.0, 0.0)))
    examples = [Example("The park should open", targets, text) for text, targets in said] * 20
    settings = FineTuning(epochs=1, tokens_a_batch=64, save_every=2)
    stages = [Stage(examples, settings), Stage(examples[:12], settings, blend=0.5)]

    def run(name: str, progress: Callable[[int, int, float], None]) -> FineTuned:
        return fine_tune(stages, loss="one label", checkpoint=tmp_path / name / "x.pt", progress=progress)

    class PowerCutError(Exception):
        pass

    def interrupted_at(wanted: int) -> Callable[[int, int, float], None]:
        def interrupt(step: int, steps: int, loss: float) -> None:
            if step == wanted:
                raise PowerCutError

        return interrupt

    steps: list[int] = []
    whole = run("whole", lambda step, *_: steps.append(step))
    for wanted in (5, len(steps) - 1):  # in the first stage, and in the second
        with pytest.raises(PowerCutError):
            run("cut", interrupted_at(wanted))
    resumed = run("cut", lambda step, *_: None)
    assert steps == list(range(1, len(steps) + 1))
    assert resumed == whole


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs the extra train")
@pytest.mark.filterwarnings("ignore")  # PyTorch's exporter warns of itself
def test_the_encoder_of_a_release_is_taught_further(shipped_bundle: Bundle, tmp_path: Path) -> None:
    from training.finetuning import Example, FineTuned, FineTuning, Stage, fine_tune

    encoder = shipped_bundle.stance.encoder
    pairs = [
        ("Cars should be banned here", "I agree."),
        ("Cars should be banned here", "I disagree, nonsense."),
    ]
    examples = [Example(premise, (0.0, 0.0, 1.0, 0.0), text) for premise, text in pairs] * 8

    def taught(learning_rate: float) -> FineTuned:
        settings = FineTuning(epochs=2, tokens_a_batch=64, learning_rate=learning_rate)
        stage = Stage(examples, settings)
        return fine_tune([stage], loss="one label", checkpoint=tmp_path / "x.pt", start=encoder.onnx)

    before = encoder.transform(pairs)
    nothing, something = (taught(rate) for rate in (0.0, 5e-4))
    as_before = PairEncoder(nothing.onnx, nothing.tokenizer).transform(pairs)
    np.testing.assert_array_equal(as_before.argmax(axis=1), before.argmax(axis=1))
    np.testing.assert_allclose(as_before, before, atol=0.5)
    now = PairEncoder(something.onnx, something.tokenizer).transform(pairs)
    neutral = ENCODER_CLASSES.index("neutral")
    assert (now[:, neutral] > before[:, neutral] + 0.5).all()
    assert b"site-packages" not in something.onnx  # nor any other trace of the machine


def test_what_is_not_an_encoder_of_this_kind_is_not_taught_further() -> None:
    pytest.importorskip("onnx")
    from onnx import helper

    from training.resuming import exported_weights

    empty = helper.make_model(helper.make_graph([], "empty", [], []))
    with pytest.raises(
        TrainingError, match=r"cannot be taught further: classifier\.bias is not of shape \(4,\)"
    ):
        exported_weights(empty.SerializeToString(), {"classifier.bias": (4,)})
