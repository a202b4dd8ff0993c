import numpy as np
import pytest

from training.bias import IDENTITIES, bias_by_identity, identities_of, identity_aucs, power_mean

# One identity: toxic 0.9 and 0.4, civil 0.7 and 0.1. The others: toxic 0.65 and 0.6, civil 0.5 and 0.2.
SCORE = np.array([0.9, 0.4, 0.7, 0.1, 0.65, 0.6, 0.5, 0.2])
TOXIC = np.array([True, True, False, False, True, True, False, False])
MEMBER = np.array([True] * 4 + [False] * 4)
TEXTS = ["a gay reader"] * 4 + ["an older reader"] * 4


def test_the_three_aucs_by_hand() -> None:
    found = identity_aucs(TOXIC, SCORE, MEMBER)
    assert found["subgroup_auc"] == 3 / 4  # only 0.4 against 0.7 is the wrong way round
    assert found["bpsn_auc"] == 2 / 4  # 0.7 is above both toxic sentences about others
    assert found["bnsp_auc"] == 3 / 4  # 0.4 is below a civil sentence about others


def test_the_other_identity_sees_it_from_the_other_side() -> None:
    found = bias_by_identity(TEXTS, TOXIC, SCORE)
    assert set(found["identities"]) == {"gay", "older"}
    older = found["identities"]["older"]
    assert (older["subgroup_auc"], older["bpsn_auc"], older["bnsp_auc"]) == (1.0, 3 / 4, 2 / 4)
    assert found["worst"]["bpsn_auc"] == ["gay", "older"]
    assert found["overall_auc"] == 12 / 16  # the pairs of toxic and civil that are the right way round


def test_civil_sentences_that_reach_a_half() -> None:
    found = bias_by_identity(TEXTS, TOXIC, SCORE)
    gay = found["identities"]["gay"]
    assert (gay["civil_median"], gay["false_positive_rate"]) == (0.4, 0.5)
    assert gay["civil_90th_percentile"] == pytest.approx(0.64)
    assert found["false_positive_rate"] == {"lowest": 0.5, "median": 0.5, "highest": 0.5}


def test_low_values_count_most_in_the_power_mean() -> None:
    assert power_mean([0.8, 0.8]) == pytest.approx(0.8)
    assert power_mean([0.5, 1.0]) == pytest.approx(((2**5 + 1) / 2) ** -0.2)
    assert power_mean([0.0, 1.0]) == 0.0


def test_the_final_figure_is_a_quarter_of_each() -> None:
    found = bias_by_identity(TEXTS, TOXIC, SCORE)
    parts = [found["overall_auc"], *found["power_mean"].values()]
    assert found["final"] == pytest.approx(sum(parts) / 4, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ziv is a great african american", {"african american"}),
        ("hug african", {"african"}),
        ("Being older is fun", {"older"}),
        ("You are a nice middle aged", {"middle aged"}),
        ("You are a neat farmer", set()),
        ("I am cold", set()),
    ],
)
def test_which_identity_a_template_names(text: str, named: set[str]) -> None:
    assert identities_of(text) == named


def test_there_are_fifty_identities() -> None:
    assert len(set(IDENTITIES)) == len(IDENTITIES) == 50
