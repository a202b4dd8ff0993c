"""The retraining job on a small champion: what it publishes, what it refuses, and what it leaves behind."""

import fcntl
import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import app
from data import CivilityRow, attribute_matrix, load_plan
from data.checks import CONTRAST_SOURCE
from data.feedback import Opinion, write_feedback
from data.identities import IDENTITY_SOURCE
from models import ATTRIBUTES, Bundle, CivilityModel, list_bundles, load_bundle, save_bundle, verify_bundle
from models.features import HashedNgrams
from models.linear import LinearCivility
from training.civility_sets import civility_splits
from training.errors import BusyError, FeedbackError, TrainingError
from training.retraining import Outcome, RetrainingOrder, RetrainingSettings, retrain
from training.retraining.exclusive import exclusive

CIVIL = (
    "Thank you for the link.",
    "Please cite a source.",
    "The bus was late again.",
    "I see it differently.",
)
SLANG = ("wazzock", "numpty", "bampot")
RUDE = ("You are an idiot.", "What a moron you are.", "Shut up, you fool.", "Stupid liar.")
START = datetime(2026, 11, 1, tzinfo=UTC)
N_BITS = 16


def slang_opinions(n: int = 200, source: str = "moderator", seed: int = 1) -> list[Opinion]:
    """A community's slang, which the champion misjudges, as four moderators label it."""
    chance = random.Random(seed)
    found = []
    for i in range(n):
        rude = i % 2 == 0
        word = chance.choice(SLANG) if rude else "job"
        text = f"{chance.choice(CIVIL)} Proper {word}, this mayor. {chance.choice(CIVIL)} {i}"
        found.append(
            Opinion(
                text=text,
                source=f"{source}:{i % 4}",
                received=START + timedelta(minutes=7 * i),
                labels={"TOXICITY": float(rude), "INSULT": float(rude)},
                role="moderator",
                community="north",
                uid=f"{source}-{i}",
            )
        )
    return found


def flood(n: int = 1500, role: str | None = None, source: str = "troll") -> list[Opinion]:
    """Insults called civil and civil comments called toxic, all by one source."""
    chance = random.Random(3)
    found = []
    for i in range(n):
        rude = i % 2 == 0
        text = f"{chance.choice(RUDE if rude else CIVIL)} {chance.choice(CIVIL)} number {i}"
        labels = dict.fromkeys(("TOXICITY", "INSULT"), float(not rude))
        moment = START + timedelta(minutes=10 * i)
        found.append(Opinion(text, source, moment, labels, role=role, uid=f"{source}-{i}"))
    return found


@pytest.fixture(scope="module")
def champion(tiny: ModuleType, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A fast stage of jigsaw's rows and some of the project's sentences, and a tiny stance model."""
    folder = tmp_path_factory.mktemp("champions") / "2026.1.0"
    by_source = defaultdict[str, list[CivilityRow]](list)
    for row in civility_splits(small_data).train:
        by_source[row.source].append(row)
    rows = [
        *by_source["jigsaw-toxic-comments"],
        *random.Random(2).sample(by_source[CONTRAST_SOURCE], 800),
        *random.Random(2).sample(by_source[IDENTITY_SOURCE], 700),
    ]
    fast = LinearCivility(ATTRIBUTES, features=HashedNgrams(n_bits=N_BITS), max_iter=50)
    civility = CivilityModel(fast).fit([row.text for row in rows], attribute_matrix(rows))
    recipe = {"seed": load_plan().seed}
    save_bundle(folder, civility, tiny.fit_stance(), version=folder.name, recipe=recipe)
    return load_bundle(folder)


@pytest.fixture
def order(champion: Bundle, tmp_path: Path) -> RetrainingOrder:
    # Of so small a champion's answers more lie near the threshold than of a real one's.
    settings = RetrainingSettings.read()
    settings = replace(settings, gates=replace(settings.gates, check_drop=0.15, fewest_of_a_class=10))
    return RetrainingOrder(
        champion.path, tmp_path / "releases", tmp_path / "report", None, settings, plots=False
    )


def held_out_slang(bundle: Bundle) -> tuple[float, float]:
    """Mean TOXICITY of slang nobody labelled, and of the same sentence without it."""
    texts = [f"Proper {word}, this mayor. Please cite a source. x{i}" for i, word in enumerate(SLANG)]
    said = bundle.civility.predict_proba([*texts, "Proper job, this mayor. Please cite a source."])[:, 0]
    return float(said[:3].mean()), float(said[3])


def failed(outcome: Outcome) -> set[str]:
    gates = outcome.found["verdicts"]["civility"]["gates"]
    return {gate["group"] for gate in gates if not gate["passed"]}


def told(outcome: Outcome) -> list[str]:
    gates = outcome.found["verdicts"]["civility"]["gates"]
    return [f"{one['name']} {one['champion']} {one['challenger']}" for one in gates if not one["passed"]]


def test_moderators_teach_a_slang_and_nothing_else_changes(order: RetrainingOrder, champion: Bundle) -> None:
    outcome = retrain(order, slang_opinions())
    assert outcome.folder is not None, told(outcome)
    release = load_bundle(outcome.folder)
    slang, civil = held_out_slang(release)
    assert held_out_slang(champion)[0] < 0.3
    assert slang > 0.6 > 0.3 > civil
    manifest = release.manifest
    assert manifest.recipe["base"]["version"] == champion.version
    assert manifest.recipe["retrained"] == ["civility"]
    assert manifest.training_data[-1] == {**manifest.training_data[-1], "name": "feedback", "rows": 200}
    pairs = [("The park should open", "I agree, well said.")]
    np.testing.assert_array_equal(release.stance.predict_proba(pairs), champion.stance.predict_proba(pairs))
    by_community = outcome.found["figures"]["civility"]["feedback"]["north"]
    assert by_community["challenger"] < by_community["champion"] / 2


def test_with_the_datasets_the_champion_goes_on_and_is_judged_on_their_test_split(
    order: RetrainingOrder, small_data: Path
) -> None:
    outcome = retrain(replace(order, data_dir=small_data, dry_run=True), slang_opinions())
    assert outcome.version is not None, told(outcome)
    gates = {gate["name"]: gate for gate in outcome.found["verdicts"]["civility"]["gates"]}
    assert abs(gates["jigsaw-toxic-comments TOXICITY"]["loss"]) < 0.005
    assert "texts of the datasets held it where it was" in (order.report / "retraining.md").read_text()


def test_all_can_be_fitted_anew_on_datasets_and_feedback(order: RetrainingOrder, small_data: Path) -> None:
    lenient = replace(order.settings, gates=replace(order.settings.gates, check_bound=0.25))
    order = replace(order, data_dir=small_data, refit=True, plots=True, settings=lenient)
    outcome = retrain(order, slang_opinions(300))
    gates = outcome.found["verdicts"]["civility"]["gates"]
    judged = {gate["name"] for gate in gates if gate["group"] == "auc"}
    assert "jigsaw-toxic-comments TOXICITY" in judged
    assert outcome.folder is not None, told(outcome)
    assert held_out_slang(load_bundle(outcome.folder))[0] > 0.6
    text = (order.report / "retraining.md").read_text()
    assert f"published as {outcome.version}" in text
    assert {path.name for path in (order.report / "plots").iterdir()} == {"changes.png", "reliability.png"}
    assert json.loads((order.report / "retraining.json").read_text())["decision"] == "published"
    assert "wazzock" not in text + (order.report / "retraining.json").read_text()


def test_stance_learns_from_feedback_too(order: RetrainingOrder, champion: Bundle) -> None:
    premise = "Plan 900 for the park should go ahead"
    said = ("Aye, grand.", "Aye to plan 900.", "Grand, plan 900 for the park.", "Aye, the park, grand.")
    opinions = [
        Opinion(
            f"{said[i % 4]} {i}",
            f"m{i % 3}",
            START + timedelta(hours=i),
            stance="agree",
            premise=premise,
            role="moderator",
        )
        for i in range(300)
    ]
    outcome = retrain(order, opinions)
    assert set(outcome.found["verdicts"]) == {"stance"}
    assert outcome.folder is not None
    pairs = [(premise, "Aye, grand, the park. 1000")]
    before, after = (
        bundle.stance.predict_proba(pairs)[0, 0] for bundle in (champion, load_bundle(outcome.folder))
    )
    assert after > before


def test_nothing_is_published_in_a_dry_run(order: RetrainingOrder) -> None:
    outcome = retrain(replace(order, dry_run=True), slang_opinions())
    assert outcome.version is not None
    assert outcome.folder is None
    assert list_bundles(order.releases) == []
    assert "would publish" in (order.report / "retraining.md").read_text()


def test_too_little_feedback_to_judge_by_is_refused(order: RetrainingOrder) -> None:
    outcome = retrain(order, slang_opinions(40))
    assert outcome.version is None
    assert failed(outcome) == {"feedback"}
    assert list_bundles(order.releases) == []


def test_feedback_that_agrees_with_the_champion_wins_nothing(
    order: RetrainingOrder, champion: Bundle
) -> None:
    def as_the_champion_says(one: Opinion) -> Opinion:
        said = champion.civility.predict_proba([one.text])[0]
        return replace(one, labels={"TOXICITY": float(said[0]), "INSULT": float(said[2])})

    outcome = retrain(order, [as_the_champion_says(one) for one in slang_opinions(120)])
    assert outcome.version is None
    assert failed(outcome) == {"feedback"}


def test_fitting_anew_needs_the_datasets(order: RetrainingOrder, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs the datasets"):
        replace(order, refit=True)
    command = ["retrain", "--refit", "--report", str(tmp_path)]
    refused = CliRunner().invoke(app, command, env={"COUNTERPOINT_DATA_DIR": None})
    assert refused.exit_code == 2
    assert "--data-dir" in refused.output


def test_no_feedback_is_an_error(order: RetrainingOrder) -> None:
    with pytest.raises(FeedbackError, match="nothing to learn"):
        retrain(order, [])
    with pytest.raises(FeedbackError, match="nothing to learn"):
        retrain(order, [replace(one, languages=("de",)) for one in slang_opinions(30)])


def test_one_hostile_source_that_floods_is_left_out(order: RetrainingOrder, champion: Bundle) -> None:
    outcome = retrain(order, [*slang_opinions(), *flood()])
    [troll] = [one for one in outcome.found["feedback"]["sources"] if one["source"] == "troll"]
    assert troll["left_out"] == "contradicts the champion"
    assert troll["share"] == 0
    assert "**Left out: troll.**" in (order.report / "retraining.md").read_text()
    assert outcome.folder is not None, told(outcome)
    rude = ["You are an idiot. Please cite a source."]
    assert load_bundle(outcome.folder).civility.predict_proba(rude)[0, 0] > 0.5


def test_the_gates_hold_where_the_guards_see_nothing(order: RetrainingOrder) -> None:
    blind = replace(
        order.settings,
        guards=replace(order.settings.guards, contradicts_more=1.0, most_a_source=1.0, most_of_readers=1.0),
    )
    outcome = retrain(replace(order, settings=blind), [*slang_opinions(), *flood(role="moderator")])
    troll = next(one for one in outcome.found["feedback"]["sources"] if one["source"] == "troll")
    assert troll["left_out"] is None
    assert troll["share"] > 0.5
    assert outcome.version is None
    assert "check" in failed(outcome)
    assert list_bundles(order.releases) == []


def test_a_champion_of_another_split_is_refused(
    order: RetrainingOrder, champion: Bundle, small_data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / champion.version
    folder.mkdir()
    for file in champion.path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["recipe"] = {"base": {"recipe": manifest["recipe"] | {"seed": 1}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(TrainingError, match="another split"):
        retrain(replace(order, champion=folder, data_dir=small_data), slang_opinions(30))


def test_two_at_once_exclude_each_other(order: RetrainingOrder) -> None:
    order.releases.mkdir()
    with open(order.releases / ".retrain.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="another retraining works on"):
            retrain(order, slang_opinions(30))
    assert retrain(replace(order, dry_run=True), slang_opinions(30)).version is None


COMMAND = [sys.executable, "-m", "app.cli", "retrain", "--without-base-data", "--no-plots"]


@pytest.fixture
def started(order: RetrainingOrder, champion: Bundle, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`counterpoint retrain`, which writes into `order.releases`."""
    write_feedback(tmp_path / "feedback.jsonl", slang_opinions())
    places = ["--feedback", str(tmp_path / "feedback.jsonl"), "--releases", str(order.releases)]
    places += ["--champion", str(champion.path), "--report", str(order.report)]
    (tmp_path / "gates.toml").write_text("[gates]\ncheck_drop = 0.15\n")
    places += ["--settings", str(tmp_path / "gates.toml")]
    with subprocess.Popen([*COMMAND, *places], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield process
        process.kill()


def test_a_killed_run_leaves_no_half_release(
    order: RetrainingOrder, started: subprocess.Popen[bytes]
) -> None:
    while not list(order.releases.glob(".retraining-*")):  # it has the lock and works
        assert started.poll() is None, started.communicate()
    while not list(order.releases.glob(".retraining-*/.2*/civility.joblib")):  # it writes the release
        if started.poll() is not None:
            break  # too quick to be caught: the release must then be whole
    started.kill()
    started.wait()
    for folder in list_bundles(order.releases):
        verify_bundle(folder)
    published = len(list_bundles(order.releases))
    (order.releases / ".retraining-1" / ".2026.1.1-half").mkdir(parents=True)  # as a kill leaves it
    assert retrain(order, slang_opinions()).folder is not None
    assert len(list_bundles(order.releases)) == published + 1
    assert list(order.releases.glob(".retraining-*")) == []


def test_the_scratch_folder_goes_with_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with exclusive(tmp_path) as scratch:
            (scratch / "half").mkdir()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == [".retrain.lock"]


def test_the_command_tells_by_its_exit_status(champion: Bundle, tmp_path: Path) -> None:
    run = CliRunner()
    feedback, settings = tmp_path / "feedback.jsonl", tmp_path / "gates.toml"
    write_feedback(feedback, slang_opinions())
    command = [
        "retrain",
        "--without-base-data",
        "--feedback",
        str(feedback),
        "--champion",
        str(champion.path),
    ]
    command += ["--releases", str(tmp_path / "releases"), "--report", str(tmp_path / "report"), "--no-plots"]
    command += ["--settings", str(settings)]
    settings.write_text("[gates]\nleast_gain = 0.9\n")
    refused = run.invoke(app, command)
    assert refused.exit_code == 3, refused.output
    assert "refused" in refused.stdout
    settings.write_text("[gates]\ncheck_drop = 0.15\n")
    published = run.invoke(app, [*command, "--version", "2026.1.7"])
    assert published.exit_code == 0, published.output
    assert "published 2026.1.7" in published.stdout
    assert run.invoke(app, ["models", "verify", str(tmp_path / "releases/2026.1.7")]).exit_code == 0
    again = run.invoke(app, [*command, "--version", "2026.1.7"])
    assert isinstance(again.exception, TrainingError)
    settings.write_text("[gates]\nauc_dorp = 0.1\n")
    wrong = run.invoke(app, command)
    assert "unknown value gates.auc_dorp" in str(wrong.exception)
