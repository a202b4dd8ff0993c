"""The learning curve of adaptation, on made-up articles whose priors differ."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from models.stance import STANCES
from training.adaptation_curve import Scored, article_curve, choose_strengths, community_curve, main

PRIORS = ((0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.2, 0.1, 0.7), (0.6, 0.3, 0.1))


@pytest.fixture
def comments() -> Scored:
    chance = np.random.default_rng(7)
    truth = np.concatenate([chance.choice(3, 40, p=prior) for prior in PRIORS])
    probabilities = softmax(np.eye(3)[truth] + chance.normal(0, 1, (len(truth), 3)), axis=1)
    return Scored(probabilities, np.array(STANCES)[truth], np.repeat([f"article {i}" for i in range(4)], 40))


def test_labels_of_an_article_help_and_sizes_that_no_article_has_say_so(comments: Scored) -> None:
    adaptation = choose_strengths(comments, draws=3)
    points = {point["labels"]: point for point in article_curve(comments, adaptation, draws=10)}
    assert points[0]["log_loss_gain"] == 0
    assert points[20]["log_loss_gain"] > points[5]["log_loss_gain"] > 0
    assert points[20]["articles"] == 4
    assert points[20]["log_loss_gain_95"][0] > 0
    assert points[50] == {"labels": 50, "articles": 0}


def test_articles_that_differ_gain_little_as_one_community(comments: Scored) -> None:
    adaptation = choose_strengths(comments, of_community=True, draws=3)
    [point] = community_curve(comments, adaptation, sizes=(50,), draws=10)
    of_article = article_curve(comments, choose_strengths(comments, draws=3), sizes=(20,), draws=10)[0]
    assert point["log_loss_gain"] < of_article["log_loss_gain"]


def test_the_command_measures_a_bundle(
    small_data: Path, bundle_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--bundle", str(bundle_path), "--data-dir", str(small_data), "--draws", "2"])
    found = json.loads(capsys.readouterr().out)
    assert found["bundle"] == bundle_path.name
    assert found["comments"] > 10
    assert [point["labels"] for point in found["community"]] == [0, 5, 10, 20, 50]
