"""Rows are divided by group, the same way every time, and no group is ever torn apart."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import SplitPlan, StanceRow, load_plan, read_civility, read_stance, shipped_catalog, split
from data.errors import SplitError

PLAN = SplitPlan(7, 0.8, 0.1, 0.1, frozenset({"official"}))


def row(group: str, source: str = "other", official_split: str | None = None) -> StanceRow:
    return StanceRow("p", "t", "agree", source, group, official_split)


def sides(rows: list[StanceRow], plan: SplitPlan = PLAN) -> dict[str, set[str]]:
    parts = split(rows, plan)
    found: dict[str, set[str]] = {}
    for side in ("train", "calibration", "test"):
        for each in getattr(parts, side):
            found.setdefault(each.group, set()).add(side)
    return found


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=3),
            st.sampled_from(["official", "other"]),
            st.sampled_from(["train", "dev", "test", None]),
        )
    ),
    st.integers(),
)
def test_no_group_is_torn_apart_and_no_row_lost(facts: list[tuple[str, str, str | None]], seed: int) -> None:
    rows = [row(*fact) for fact in facts]
    plan = SplitPlan(seed, 0.5, 0.25, 0.25, frozenset({"official"}))
    assert all(len(found) == 1 for found in sides(rows, plan).values())
    parts = split(rows, plan)
    assert Counter(parts.train + parts.calibration + parts.test) == Counter(rows)


def test_an_official_test_set_takes_the_whole_group_along() -> None:
    rows = [row("m", "official", "train"), row("m", "official", "test"), row("m", "other", "train")]
    assert sides(rows) == {"m": {"test"}}


def test_an_official_dev_set_calibrates() -> None:
    assert sides([row("m", "official", "dev"), row("m")]) == {"m": {"calibration"}}


def test_an_official_training_set_is_never_tested_on() -> None:
    found = sides([row(f"g{number}", "official", "train") for number in range(500)])
    assert set.union(*found.values()) == {"train", "calibration"}


def test_splits_of_other_sources_do_not_count() -> None:
    found = sides([row(f"g{number}", "other", "test") for number in range(500)])
    assert set.union(*found.values()) == {"train", "calibration", "test"}


def test_shares_are_kept_and_another_seed_draws_anew() -> None:
    rows = [row(f"g{number}") for number in range(5000)]
    parts = split(rows, PLAN)
    assert len(parts.train) / 5000 == pytest.approx(0.8, abs=0.02)
    assert len(parts.calibration) / 5000 == pytest.approx(0.1, abs=0.02)
    assert sides(rows) == sides(rows[::-1])
    assert sides(rows) != sides(rows, SplitPlan(8, 0.8, 0.1, 0.1, frozenset()))


def test_the_shipped_plan_names_sources_of_the_catalog() -> None:
    plan = load_plan()
    assert plan.seed == 20261123
    assert (plan.train, plan.calibration, plan.test) == (0.8, 0.1, 0.1)
    assert plan.official <= {dataset.source for dataset in shipped_catalog().values()}


def test_a_group_stays_where_it_was() -> None:
    # Frozen: were the hash ever to change, every held-out figure ever told would be void.
    assert [PLAN.side(f"g{number}") for number in range(22)] == [
        {2: "calibration", 11: "calibration", 21: "calibration", 15: "test", 20: "test"}.get(number, "train")
        for number in range(22)
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed = 1", "shares"),
        ("seed = 'x'\n[shares]\ntrain=0.8\ncalibration=0.1\ntest=0.1\n[sources]\nofficial=[]", "'x'"),
        ("seed = 1\n[shares]\ntrain=0.8\ncalibration=0.1\ntest=0.2\n[sources]\nofficial=[]", "sum to 1"),
        ("seed = ", "splits.toml"),
    ],
)
def test_a_wrong_plan_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "splits.toml"
    path.write_text(text)
    with pytest.raises(SplitError, match=told):
        load_plan(path)


def test_doubles_of_a_text_and_motions_of_two_sets_fall_together(tiny_data: Path) -> None:
    parts = split(read_stance(tiny_data))
    assert {row.source for row in parts.test if "horns" in row.premise} == {
        "ibm-argq-rank-30k",
        "ibm-claim-stance",
        "argkp-2021",
    }
    assert all("horns" not in row.premise for row in parts.train + parts.calibration)


def test_real_rows_are_split_by_group(real_data: Path) -> None:
    for rows in (read_stance(real_data), read_civility(real_data, ["fox-news-comments", "germeval-2018"])):
        parts = split(rows)
        groups = [{each.group for each in side} for side in (parts.train, parts.calibration, parts.test)]
        assert all(groups)
        assert len(set.union(*groups)) == sum(map(len, groups))
        assert len(parts.train) + len(parts.calibration) + len(parts.test) == len(rows)
