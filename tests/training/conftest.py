"""Datasets large enough to train on in seconds; every text is made up from the words below."""

import csv
import io
import random
from pathlib import Path

import pytest

from tests.support.tiny_data import write_jigsaw, write_tiny_data

SAID = {
    "agree": "I agree, well said.",
    "disagree": "I disagree, this is nonsense.",
    "discuss": "It depends, who knows?",
    "unrelated": "My soup was cold on Monday.",
}
CIVIL = (
    "Thank you for the link.",
    "Please cite a source.",
    "The bus was late again.",
    "I see it differently.",
)
RUDE = ("You are an idiot.", "What a moron you are.", "Shut up, you fool.", "Stupid liar.")


def table(header: str, rows: list[list[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture(scope="module")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every dataset; jigsaw and ARC with some hundred rows, the others with a few."""
    root = write_tiny_data(tmp_path_factory.mktemp("small"))
    chance = random.Random(5)

    labels = "toxic,severe_toxic,obscene,threat,insult,identity_hate,any_label"
    comments: list[list[object]] = []
    for i in range(700):
        rude = i % 3 == 0
        text = f"{chance.choice(RUDE if rude else CIVIL)} {chance.choice(CIVIL)} {chance.randint(0, 99)}"
        known = [int(rude), int(rude and i % 2 == 0)] + [int(rude)] * 5
        comments.append([f"c{i}", text, *known])
    write_jigsaw(root, table(f"id,comment_text,{labels}", comments))

    bodies, stances, debates = [], [], []
    for i in range(160):
        claim = f"Plan {i} for the park should go ahead"
        debates.append([claim, f"Should plan {i} go ahead?", "x"])
        for j, (stance, said) in enumerate(SAID.items()):
            about = "" if stance == "unrelated" else f" Plan {i} for the park."
            bodies.append([10 * i + j, f"{said}{about} {chance.choice(CIVIL)}"])
            stances.append([claim, 10 * i + j, stance])
    arc = root / "stance/arc"
    (arc / "arc_bodies.csv").write_text(table("Body ID,articleBody", bodies))
    (arc / "arc_debates.csv").write_text(table("Headline,debateTitle,debateDescription", debates))
    (arc / "arc_stances_train.csv").write_text(table("Headline,Body ID,Stance", stances[:500]))
    (arc / "arc_stances_test.csv").write_text(table("Headline,Body ID,Stance", stances[500:]))
    return root
