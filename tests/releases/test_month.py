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
# Comments held out have other templates, and "clabbert" and "mizzler" are insults that nobody corrected.
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
NEVER_CORRECTED = ("clabbert", "mizzler")
OTHER_INSULTS = (
    "My neighbour, the {}, wrote this too.",
    "I would not trust that {} with a bicycle.",
    "Some {} on the council had this idea.",
    "Do not feed the {}, he has had enough.",
    "Even a {} knows better than that.",
    "He writes as if every reader were a {}.",
)
OTHER_PRAISE = (
    "Have you ever seen a {} so filthy? Lovely.",
    "Our beggar of a captain with a {} at last.",
    "The {} in the second half: filthy, simply filthy.",
    "That poor beggar had one {} and waited all year.",
    "Her {} was the filthiest I have seen here.",
    "Every beggar in the stand stood up for the {}.",
)
OTHER_TAILS = (
    "",
    " The harbour was quiet.",
    " I took the early train home.",
    " Dinner was good as well.",
    " Next week we play away.",
)
ELSEWHERE = (
    "Thank you for this careful report.",
    "You are a stupid idiot and everybody knows it.",
    "I disagree with the mayor.",
    "I will find you and hurt you.",
    "The council votes on Monday.",
    "These people are vermin.",
)


Labelled = list[tuple[str, float]]


def corrected() -> Labelled:
    """Two hundred comments of the community and whether its moderators call them toxic."""
    return _drawn(_filled(INSULTS, SLANG, 1.0), _filled(PRAISE, THINGS, 0.0), TAILS)[:200]


def held_out() -> dict[str, Labelled]:
    """Comments in other words than the corrected ones, by what of them was corrected."""
    kind = _filled(OTHER_PRAISE, THINGS, 0.0)
    return {
        "slang that was corrected": _drawn(_filled(OTHER_INSULTS, SLANG, 1.0), kind, OTHER_TAILS),
        "slang that never was": _drawn(_filled(OTHER_INSULTS, NEVER_CORRECTED, 1.0), [], OTHER_TAILS),
    }


def _filled(forms: tuple[str, ...], words: tuple[str, ...], toxic: float) -> Labelled:
    return [(form.format(word), toxic) for form in forms for word in words]


def _drawn(rude: Labelled, kind: Labelled, tails: tuple[str, ...]) -> Labelled:
    """Rude comments with every tail and kind ones with some, in a drawn order."""
    chance = random.Random(11)
    found = [(f"{text} {tail}".strip(), toxic) for text, toxic in rude for tail in tails]
    found += [(f"{text} {tail}".strip(), toxic) for text, toxic in kind for tail in chance.sample(tails, 3)]
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


def wait_until(met: Callable[[], Any], otherwise: str) -> None:
    began = time.monotonic()
    while not met():
        assert time.monotonic() - began < 90, otherwise


def wait_for(url: str, version: str) -> None:
    wait_until(lambda: scores(url, ["Hello."])[0] == version, f"the service does not take up {version}")


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
    kinds = held_out()
    texts = {kind: [text for text, _ in comments] for kind, comments in kinds.items()}
    truth = {kind: [toxic for _, toxic in comments] for kind, comments in kinds.items()}
    with started() as service:
        shipped, _ = scores(service.url, ["Hello."])
        before = {kind: scores(service.url, texts[kind])[1] for kind in kinds}
        _, elsewhere = scores(service.url, list(ELSEWHERE))
        items = [
            {
                "comment": {"text": text, "language": "en"},
                "labels": {"TOXICITY": toxic, "INSULT": toxic},
                "source": f"moderator:{place % 4}",
                "role": "moderator",
                "community": "harbour",
            }
            for place, (text, toxic) in enumerate(corrected())
        ]
        receipt = httpx.post(f"{service.url}/v1/feedback", json={"items": items}, timeout=90)
        assert len(receipt.raise_for_status().json()["ids"]) == 200

        wait_until(lambda: list((tmp_path / "observations").glob("*.json")), "no observation is written")
        report = tmp_path / "report"
        done = invoke("retrain", "--without-base-data", "--report", str(report), "--no-plots")
        assert done.exit_code == 0, done.output
        found = json.loads((report / "retraining.json").read_text())
        assert all(gate["passed"] for gate in found["verdicts"]["civility"]["gates"])
        assert {day["version"] for day in found["observed"]["drift"]} == {shipped}
        assert "## The champion's traffic" in (report / "retraining.md").read_text()
        new = found["challenger"]
        assert scores(service.url, ["Hello."])[0] == shipped, "publishing activates nothing"
        with started() as another:
            assert scores(another.url, ["Hello."])[0] == shipped, "nor does a start after it"

        assert invoke("models", "activate", new).exit_code == 0
        wait_for(service.url, new)
        after = {kind: scores(service.url, texts[kind])[1] for kind in kinds}
        lines = [f"{shipped} then {new}, held-out comments in other words than the corrected ones"]
        for kind, known in truth.items():
            pairs = [[measure(one[kind], known) for one in (before, after)] for measure in (brier, right)]
            told = [f"{old:.2f} then {now:.2f}" for old, now in pairs]
            lines.append(f"{kind}: {len(known)} comments, Brier {told[0]}, right {told[1]}")
        with capsys.disabled():
            print("", *lines, sep="\n")  # noqa: T201
        of_corrected, of_others = kinds
        old, now = (brier(one[of_corrected], truth[of_corrected]) for one in (before, after))
        assert now < old / 2
        assert (
            right(after[of_corrected], truth[of_corrected])
            > right(before[of_corrected], truth[of_corrected]) + 0.1
        )
        # Words that nobody corrected are not learnt, but nothing is made worse either.
        old, now = (brier(one[of_others], truth[of_others]) for one in (before, after))
        assert now < old + 0.02
        for one, other in zip(elsewhere, scores(service.url, list(ELSEWHERE))[1], strict=True):
            assert all((one[name] >= 0.5) == (other[name] >= 0.5) for name in one)

        assert invoke("models", "rollback").exit_code == 0
        wait_for(service.url, shipped)
        for kind, found in before.items():
            assert scores(service.url, texts[kind]) == (shipped, found)
