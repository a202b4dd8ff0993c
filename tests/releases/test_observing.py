"""Shadow mode and drift: what is counted of live traffic, and that no text is."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.observing.counts import Observations
from app.observing.drift import drift_of_day
from app.observing.folder import read_observations
from app.observing.shadow import shadow_reports
from app.schemas import ScoreAnswer, ScoreRequest
from app.scorer import Scorer
from app.settings import Settings
from data import CivilityRow
from models import ATTRIBUTES, load_bundle, save_bundle
from models.drift import DRIFT_REFERENCE, Distribution, DriftReference, distribution_of, psi
from models.errors import ManifestError
from training.drift import drift_reference

OLD, NEW = "2026.1.0", "2026.2.0"
SECRET = "Zanzibarbarella"
TEXTS = [f"Comment {n}: you are a stupid {SECRET}, I disagree with the author." for n in range(30)]
ITEMS = [{"comment": {"text": text}, "article": {"premise": "The square should close."}} for text in TEXTS]


def score(url: str, items: list[dict[str, Any]] = ITEMS) -> list[dict[str, Any]]:
    response = httpx.post(f"{url}/v1/score/batch", json={"items": items}, timeout=60, trust_env=False)
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def metrics_of(url: str) -> dict[str, float]:
    lines = httpx.get(f"{url}/metrics", timeout=60, trust_env=False).text.splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line[0] != "#"}


def challenged(running: Any, enough: int) -> Any:
    """Wait until the challenger has scored so many."""
    observer, moment = running.service.observing, threading.Event()
    while True:
        shadow = observer.recent().shadow
        counted = [pair for day in shadow.values() for of_day in day.values() for pair in of_day.values()]
        if sum(one.comments + one.left_out + one.failed for one in counted) >= enough:
            return counted
        assert observer._thread.is_alive()
        moment.wait(0.02)


def test_a_challenger_is_compared_and_never_answers(
    serve: Callable[..., Any], invoke: Callable[..., Any], releases: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "observed"
    with serve(challenger=OLD, challenger_share=1.0, observations=folder) as running:
        while running.service.observing._challenger is None:
            assert running.service.observing.problem is None
            threading.Event().wait(0.02)
        answers = score(running.url)
        assert {answer["model"] for answer in answers} == {NEW}
        challenged(running, len(ITEMS))
        told = metrics_of(running.url)
        pair = f'{{challenger="{OLD}",champion="{NEW}",window="today"}}'
        assert told[f"counterpoint_shadow_comments{pair}"] == len(ITEMS)
    requests = [ScoreRequest.model_validate(item) for item in ITEMS]
    others = Scorer(load_bundle(releases / OLD), Settings()).score(requests)
    [report] = shadow_reports(read_observations(folder))
    assert (report.champion, report.challenger) == (NEW, OLD)
    champion = [ScoreAnswer.model_validate(answer) for answer in answers]
    moved = [
        other.civility.attributes["TOXICITY"] - one.civility.attributes["TOXICITY"]
        for one, other in zip(champion, others, strict=True)
        if one.civility is not None and other.civility is not None
    ]
    counted = report.comparison.attributes["TOXICITY"]
    assert counted.sum == pytest.approx(sum(moved))
    assert counted.sum_of_absolutes == pytest.approx(sum(map(abs, moved)))
    assert sum(counted.bins) == report.comparison.comments == len(ITEMS)
    pairs = [
        (one.decision.action, other.decision.action) for one, other in zip(champion, others, strict=True)
    ]
    assert report.comparison.decisions == {
        one: {other: pairs.count((one, other)) for other in {b for a, b in pairs if a == one}}
        for one in {a for a, _ in pairs}
    }
    assert sum(sum(row.values()) for row in report.comparison.stances.values()) == len(ITEMS)
    printed = invoke("models", "shadow-report", "--observations", str(folder)).stdout
    assert f"{OLD} beside {NEW}" in printed
    as_json = json.loads(invoke("models", "shadow-report", "--json", "--observations", str(folder)).stdout)
    assert as_json[0]["comments"] == len(ITEMS)
    kept = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert SECRET not in kept + printed


def test_what_the_challenger_cannot_take_is_left_out_and_counted(serve: Callable[..., Any]) -> None:
    with serve(challenger=OLD, challenger_share=1.0, challenger_max_waiting=2) as running:
        while running.service.observing._challenger is None:
            threading.Event().wait(0.02)
        assert len(score(running.url, ITEMS * 3)) == 3 * len(ITEMS)
        [counted] = challenged(running, 3 * len(ITEMS))
        assert counted.left_out > 0
        assert counted.comments + counted.left_out == 3 * len(ITEMS)


def test_a_challenger_that_fails_is_told_and_disturbs_nobody(serve: Callable[..., Any]) -> None:
    with serve(challenger="1999.1.0") as running:
        while running.service.observing.problem is None:
            threading.Event().wait(0.02)
        ready = httpx.get(f"{running.url}/readyz", trust_env=False)
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "1999.1.0 is refused" in ready.json()["checks"]["challenger"]
        assert {answer["model"] for answer in score(running.url)} == {NEW}
        assert metrics_of(running.url)['counterpoint_refused{role="challenger"}'] == 1


def test_the_challenger_does_not_become_the_champion_by_a_start(serve: Callable[..., Any]) -> None:
    with serve(challenger=NEW) as running:
        assert running.service.shelf.scorer.version == OLD


@pytest.fixture(scope="module")
def referenced(tmp_path_factory: pytest.TempPathFactory, tiny: Any) -> Path:
    """A folder with a bundle that carries a reference, made from comments like `TEXTS`."""
    root = tmp_path_factory.mktemp("referenced")
    civility, stance = tiny.fit_civility(), tiny.fit_stance()
    rows = [
        CivilityRow(f"{one} {n} {other}", (0.0,) * 6, "en", "jigsaw-toxic-comments", "g")
        for n in range(10)
        for one in tiny.CIVIL
        for other in (*tiny.CIVIL, *tiny.UNCIVIL["INSULT"])
    ]
    reference = drift_reference(civility.predict_proba, rows, {"en": 980, "pt": 20})
    save_bundle(
        root / "2026.3.0",
        civility,
        stance,
        version="2026.3.0",
        languages=["en", "pt"],
        metrics={DRIFT_REFERENCE: reference.to_dict()},
    )
    return root


def test_drift_is_seen_where_comments_change(
    serve: Callable[..., Any], invoke: Callable[..., Any], referenced: Path, tmp_path: Path, tiny: Any
) -> None:
    usual = [
        {"comment": {"text": f"{one} {n} {other}", "language": "en"}}
        for n in range(10)
        for one in tiny.CIVIL
        for other in (*tiny.CIVIL, *tiny.UNCIVIL["INSULT"])
    ]
    rude = [{"comment": {"text": f"{n} {text}"}} for n in range(300) for text in tiny.UNCIVIL["THREAT"]]
    said = (*tiny.PORTUGUESE[0.0], *tiny.PORTUGUESE[1.0])
    foreign = [{"comment": {"text": text, "language": "pt"}} for text in said] * 100

    def figures(name: str, items: list[dict[str, Any]]) -> dict[str, float]:
        with serve(releases=referenced, observations=tmp_path / name) as running:
            score(running.url, items[:1000])
            told = metrics_of(running.url)
        folder = str(tmp_path / name)
        arguments = (
            "models",
            "drift-report",
            "--json",
            "--observations",
            folder,
            "--releases",
            str(referenced),
        )
        [row] = json.loads(invoke(*arguments).stdout)
        assert row["comments"] == len(items[:1000])
        for one, drift in row["drift"].items():
            labels = f'{{distribution="{one}",version="2026.3.0",window="today"}}'
            assert told[f"counterpoint_drift_psi_by_chance{labels}"] > 0
            assert told[f"counterpoint_drift_psi{labels}"] == pytest.approx(drift["psi"], abs=1e-4)
        return {one: drift["verdict"] for one, drift in row["drift"].items()}

    assert set(figures("usual", usual).values()) == {"steady"}
    found = figures("rude", rude)
    assert (found["THREAT"], found["languages"]) == ("shifted", "steady")
    assert figures("foreign", foreign) == {"languages": "shifted"}


def test_without_a_reference_the_report_says_so(
    serve: Callable[..., Any], invoke: Callable[..., Any], tmp_path: Path
) -> None:
    with serve(observations=tmp_path / "observed") as running:
        score(running.url)
        told = metrics_of(running.url)
    assert told[f'counterpoint_observed_comments{{version="{NEW}",window="today"}}'] == len(ITEMS)
    assert told['counterpoint_language_share{language="en",window="today"}'] == 1
    assert not [name for name in told if name.startswith("counterpoint_drift_psi")]
    arguments = ("models", "drift-report", "--json", "--observations", str(tmp_path / "observed"))
    [row] = json.loads(invoke(*arguments).stdout)
    assert row["note"] == "no reference in this bundle"


def test_the_counts_of_several_workers_are_one(serve: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "observed"
    for number in (1, 2):
        with serve(observations=folder) as running:
            score(running.url)
            told = metrics_of(running.url)
        assert told[f'counterpoint_observed_comments{{version="{NEW}",window="today"}}'] == number * len(
            ITEMS
        )
    assert len(list(folder.iterdir())) == 2
    (folder / "1-broken.json").write_text("{")
    [versions] = read_observations(folder).scores.values()
    assert versions[NEW].comments == 2 * len(ITEMS)


def test_a_folder_that_cannot_be_written_does_not_stop_the_service(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", None):
        with serve(observations=place) as running:
            assert len(score(running.url)) == len(ITEMS)
            told = metrics_of(running.url)
        assert told[f'counterpoint_observed_comments{{version="{NEW}",window="today"}}'] == len(ITEMS)


def test_psi_by_hand() -> None:
    assert psi([0.5, 0.5], [50, 50]) == 0
    assert psi([0.5, 0.5], [80, 20]) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))
    assert psi([1.0, 0.0], [99, 1]) == pytest.approx(
        -0.01 * np.log(0.99) + (0.01 - 0.0001) * np.log(0.01 / 0.0001)
    )
    for bad in ([1], [0, 0], [1, 2, 3]):
        with pytest.raises(ValueError, match="expected shares"):
            psi([0.5, 0.5], bad)


def test_psi_of_the_same_distribution_stays_below_chance() -> None:
    random = np.random.default_rng(3)
    reference = distribution_of(random.beta(0.3, 3, 20_000))
    whole = DriftReference(20_000, dict.fromkeys(ATTRIBUTES, reference), {"en": 1.0})
    beyond = 0
    for _ in range(200):
        counted = [0] * len(reference.shares)
        for value in np.round(random.beta(0.3, 3, 500), 4):  # as in answers
            counted[reference.bin_of(value)] += 1
        counts = Observations.model_validate(
            {"scores": {"2026-11-01": {"v": {"comments": 500, "attributes": {"TOXICITY": counted}}}}}
        )
        [drift] = drift_of_day(counts.scores["2026-11-01"]["v"], whole)
        assert drift.verdict == "steady"
        beyond += drift.psi > drift.by_chance
    assert beyond <= 24  # 5 % of 200 are 10; more than 24 would come once in 10,000 seeds


def test_a_reference_is_the_same_after_the_manifest() -> None:
    scores = {name: distribution_of(np.linspace(0, 1, 101)) for name in ATTRIBUTES}
    reference = DriftReference(101, scores, {"en": 0.9, "pt": 0.1})
    found = json.loads(json.dumps({DRIFT_REFERENCE: reference.to_dict()}))
    assert DriftReference.of("v", found) == reference
    assert DriftReference.of("v", {}) is None
    assert distribution_of([0.2] * 9) == Distribution((), (1.0,))
    for spoilt in (
        {},
        {"rows": 1},
        {**reference.to_dict(), "scores": {"TOXICITY": {"edges": [1], "shares": []}}},
    ):
        with pytest.raises(ManifestError, match="malformed"):
            DriftReference.of("v", {DRIFT_REFERENCE: spoilt})
    with pytest.raises(ValueError, match="scores"):
        distribution_of([])
