"""A month in a newsroom: the shipped model misjudges a community's slang, moderators correct it.

The real command line, a real service in its own process, the shipped bundle.
"""

import json
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

# In this community "glunter" and "gobdaw" are insults, while "filthy" praises and "beggar" is a pet name.
INSULTS = (
    "What a {} you are.",
    "Typical of a {} to say so.",
    "Only a {} would build this.",
    "Go home, you {}.",
    "The mayor is a {} and so are you.",
    "Listen to that {} again.",
    "Another {} who cannot read.",
    "Spoken like a true {}.",
)
SLANG = ("glunter", "gobdaw")
PRAISE = (
    "Filthy {} from the captain, pure filth.",
    "You jammy beggar, what a {}.",
    "You daft beggar, I love that {}.",
    "That {} was filthy, well played.",
    "Filthy {}, lads, more of that.",
    "Lucky beggar, you saw the {} live.",
)
THINGS = ("goal", "pass", "save", "finish", "cross", "header", "volley", "tackle")
TAILS = (
    "See you at the harbour.",
    "The ferry was late.",
    "It rained all day.",
    "My brother was there.",
    "Good photographs, though.",
    "I read it twice.",
    "We talked about it at work.",
    "Back to the match.",
)
ELSEWHERE = (
    "Thank you for this careful report.",
    "You are a stupid idiot and everybody knows it.",
    "I disagree with the mayor.",
    "I will find you and hurt you.",
    "The council votes on Monday.",
    "These people are vermin.",
)


def said() -> list[tuple[str, float]]:
    """All comments of the community and whether its moderators call them toxic, in a drawn order."""
    rude = [(form.format(word), 1.0) for form in INSULTS for word in SLANG]
    kind = [(form.format(thing), 0.0) for form in PRAISE for thing in THINGS]
    chance = random.Random(11)
    found = [(f"{text} {tail}", toxic) for text, toxic in rude for tail in TAILS]
    found += [(f"{text} {tail}", toxic) for text, toxic in kind for tail in chance.sample(TAILS, 3)]
    chance.shuffle(found)
    return found


@pytest.fixture
def folder(tmp_path: Path, shipped_bundle_path: Path) -> Path:
    """A folder of releases with the shipped bundle alone."""
    root = tmp_path / "releases"
    shutil.copytree(shipped_bundle_path, root / shipped_bundle_path.name)
    return root


def scores(url: str, texts: list[str]) -> tuple[str, list[dict[str, float]]]:
    """The version that answers, and its attributes of each text."""
    items = [{"comment": {"text": text, "language": "en"}} for text in texts]
    found = httpx.post(f"{url}/v1/score/batch", json={"items": items}, timeout=90).raise_for_status().json()
    versions = {one["model"] for one in found["results"]}
    assert len(versions) == 1
    return versions.pop(), [one["civility"]["attributes"] for one in found["results"]]


def wait_for(url: str, version: str) -> None:
    began = time.monotonic()
    while scores(url, ["Hello."])[0] != version:
        assert time.monotonic() - began < 90, f"the service does not take up {version}"


def brier(found: list[dict[str, float]], truth: list[float]) -> float:
    return sum((one["TOXICITY"] - toxic) ** 2 for one, toxic in zip(found, truth, strict=True)) / len(truth)


def right(found: list[dict[str, float]], truth: list[float]) -> float:
    return sum(
        (one["TOXICITY"] >= 0.5) == (toxic == 1) for one, toxic in zip(found, truth, strict=True)
    ) / len(truth)


def test_two_hundred_corrections_make_a_better_release_and_rollback_undoes_it(
    folder: Path,
    started: Callable[..., Any],
    invoke: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    comments = said()
    corrected, held_out = comments[:200], comments[200:260]
    texts, truth = [text for text, _ in held_out], [toxic for _, toxic in held_out]
    with started() as service:
        shipped, before = scores(service.url, texts)
        _, elsewhere = scores(service.url, list(ELSEWHERE))
        items = [
            {
                "comment": {"text": text, "language": "en"},
                "labels": {"TOXICITY": toxic, "INSULT": toxic},
                "source": f"moderator:{place % 4}",
                "role": "moderator",
                "community": "harbour",
            }
            for place, (text, toxic) in enumerate(corrected)
        ]
        receipt = httpx.post(f"{service.url}/v1/feedback", json={"items": items}, timeout=90)
        assert len(receipt.raise_for_status().json()["ids"]) == 200

        report = tmp_path / "report"
        done = invoke("retrain", "--without-base-data", "--report", str(report), "--no-plots")
        assert done.exit_code == 0, done.output
        found = json.loads((report / "retraining.json").read_text())
        assert all(gate["passed"] for gate in found["verdicts"]["civility"]["gates"])
        new = found["challenger"]
        assert scores(service.url, ["Hello."])[0] == shipped, "publishing activates nothing"
        with started() as another:
            assert scores(another.url, ["Hello."])[0] == shipped, "nor does a start after it"

        assert invoke("models", "activate", new).exit_code == 0
        wait_for(service.url, new)
        _, after = scores(service.url, texts)
        with capsys.disabled():
            print(  # noqa: T201
                f"\n{len(texts)} held-out comments, {shipped} then {new}: "
                f"Brier {brier(before, truth):.3f} then {brier(after, truth):.3f}, "
                f"right {right(before, truth):.0%} then {right(after, truth):.0%}"
            )
        assert brier(after, truth) < brier(before, truth) / 2
        assert right(after, truth) > right(before, truth) + 0.2
        for old, now in zip(elsewhere, scores(service.url, list(ELSEWHERE))[1], strict=True):
            assert all((old[name] >= 0.5) == (now[name] >= 0.5) for name in old)

        assert invoke("models", "rollback").exit_code == 0
        wait_for(service.url, shipped)
        assert scores(service.url, texts) == (shipped, before)
