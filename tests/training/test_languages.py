"""Other languages: learnt where the data suffice, left out by name where they do not."""

import csv
import random
from pathlib import Path

import pytest

from training.languages import train_languages

CIVIL = ("Obrigado pela matéria", "O ônibus atrasou hoje", "Onde está o estudo", "Vi isso de outra forma")
RUDE = ("Você é um idiota", "Que imbecil você é", "Cala a boca seu burro", "Idiota mentiroso")


def write_portuguese(root: Path, *, learnable: bool) -> None:
    """Six hundred tweets, whose labels follow from their words, or from nothing."""
    chance = random.Random(3)
    path = root / "civility/told-br/ToLD-BR.csv"
    with path.open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for i in range(600):
            rude = i % 2 == 0
            said = chance.choice(RUDE if rude else CIVIL) if learnable else chance.choice(RUDE + CIVIL)
            votes = {"text": f"{said} {i}", "insult": 3 * rude}
            writer.writerow([votes.get(column, 0) for column in header])


@pytest.mark.parametrize("learnable", [True, False])
def test_a_language_is_scored_where_its_words_tell(tiny_data: Path, learnable: bool) -> None:
    write_portuguese(tiny_data, learnable=learnable)
    models = train_languages(tiny_data)
    assert set(models) == ({"pt"} if learnable else set())
    if learnable:
        rude, kind = models["pt"].predict_proba([RUDE[0], CIVIL[0]])[:, 0]
        assert rude > 0.5 > kind
        assert set(models["pt"].attributes) == {"TOXICITY", "INSULT"}
