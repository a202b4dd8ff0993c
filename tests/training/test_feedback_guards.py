"""Which sources count and how much; what feedback teaches."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from data import load_plan
from data.feedback import Opinion
from data.rows import ATTRIBUTES
from training.errors import RetrainingSettingsError
from training.retraining.guards import Reviewed, newest_only, review
from training.retraining.lessons import Lesson, lessons_of, weight_shares
from training.retraining.settings import GuardSettings, RetrainingSettings

START = datetime(2026, 11, 1, tzinfo=UTC)
SETTINGS = RetrainingSettings.read()


def opinion(source: str, text: str, toxic: float, minute: int = 0, role: str | None = "moderator") -> Opinion:
    return Opinion(text, source, START + timedelta(minutes=minute), {"TOXICITY": toxic}, role=role)


def reviewed(
    opinions: Sequence[Opinion], guards: GuardSettings = SETTINGS.guards, said: float = 0.0
) -> Reviewed:
    champion = np.full((len(opinions), len(ATTRIBUTES)), said)
    return review(opinions, champion, SETTINGS.feedback, guards)


def weight_by_source(found: Reviewed) -> Counter[str]:
    weights: Counter[str] = Counter()
    for one, weight in zip(found.opinions, found.weights, strict=True):
        weights[one.source] += float(weight)
    return weights


def left_out(found: Reviewed) -> dict[str, str]:
    return {one["source"]: one["left_out"] for one in found.report["sources"] if one["left_out"]}


def test_an_opinion_said_often_is_one_opinion_and_the_newest() -> None:
    said = [
        opinion("a", "You  idiot", 0.0),
        opinion("a", "you idiot ", 1.0, minute=5),
        opinion("b", "you idiot", 0.0),
    ]
    found = newest_only(said)
    assert [(one.source, one.labels["TOXICITY"]) for one in found] == [("b", 0.0), ("a", 1.0)]


def test_a_newer_opinion_of_the_same_token_replaces_one_on_another_text() -> None:
    first = replace(opinion("a", "mistyped", 1.0), client_token="c1")
    second = replace(opinion("a", "typed", 0.0, minute=1), client_token="c1")
    assert newest_only([second, first]) == [second]


def test_no_source_outweighs_its_peers() -> None:
    opinions = [opinion("busy", f"text {i}", 0.0, i) for i in range(1000)]
    opinions += [opinion(f"m{k}", f"other {k} {i}", 0.0, i) for k in range(5) for i in range(20)]
    weights = weight_by_source(reviewed(opinions))
    assert weights["busy"] / weights.total() == pytest.approx(SETTINGS.guards.most_a_source)
    assert weights["m0"] == 20 * SETTINGS.feedback.moderator_weight


def test_two_sources_have_half_each_at_most() -> None:
    opinions = [opinion("busy", f"text {i}", 0.0, i) for i in range(100)]
    opinions += [opinion("other", f"other {i}", 0.0, i) for i in range(10)]
    weights = weight_by_source(reviewed(opinions))
    assert weights["busy"] == pytest.approx(weights["other"])


def test_many_readers_do_not_outweigh_moderators() -> None:
    opinions = [opinion(f"m{i % 3}", f"text {i}", 0.0, i) for i in range(60)]
    opinions += [opinion(f"reader{i}", f"other {i}", 0.0, i, role=None) for i in range(5000)]
    weights = weight_by_source(reviewed(opinions))
    by_readers = sum(weight for name, weight in weights.items() if name.startswith("reader"))
    assert by_readers / weights.total() == pytest.approx(SETTINGS.guards.most_of_readers)


def with_key(key: str | None, opinions: Sequence[Opinion]) -> list[Opinion]:
    return [replace(one, key_id=key) for one in opinions]


def weight_by_key(found: Reviewed) -> Counter[str | None]:
    weights: Counter[str | None] = Counter()
    for one, weight in zip(found.opinions, found.weights, strict=True):
        weights[one.key_id] += float(weight)
    return weights


def a_name_for_each(n: int, begin: str = "text", role: str | None = "moderator") -> list[Opinion]:
    return [opinion(f"name {i}", f"{begin} {i}", 0.0, i, role=role) for i in range(n)]


@pytest.mark.parametrize("role", ["moderator", "reader"])
@pytest.mark.parametrize("names", [1, 7, 1_000])
def test_a_key_gains_nothing_by_more_names(names: int, role: str) -> None:
    opinions = [
        replace(one, source=f"name {i % names}", key_id="sly")
        for i, one in enumerate(a_name_for_each(1_000, "sly", role))
    ]
    own = SETTINGS.feedback.moderator_weight if role == "moderator" else SETTINGS.feedback.reader_weight
    for key in ("k1", "k2", "k3", "k4", "k5"):
        opinions += with_key(key, a_name_for_each(40, key, role))
    found = reviewed(opinions)
    weights = weight_by_key(found)
    assert weights["sly"] / weights.total() <= SETTINGS.guards.most_a_source + 1e-9
    assert weights["k1"] == pytest.approx(40 * own)
    [told] = [one for one in found.report["keys"] if one["key"] == "sly"]
    assert (told["sources"], told["opinions"]) == (names, 1_000)
    assert told["share"] == pytest.approx(weights["sly"] / weights.total(), abs=1e-4)
    assert told["weight_kept"] < 0.1


def test_a_key_is_the_peer_of_sources_without_one() -> None:
    opinions = with_key("sly", a_name_for_each(500, "sly"))
    opinions += [opinion(f"m{k}", f"other {k} {i}", 0.0, i) for k in range(5) for i in range(20)]
    weights = weight_by_key(reviewed(opinions))
    assert weights["sly"] / weights.total() == pytest.approx(SETTINGS.guards.most_a_source)
    assert weights[None] == 100 * SETTINGS.feedback.moderator_weight


def test_behind_one_key_alone_moderators_are_bounded_one_by_one() -> None:
    opinions = [opinion("busy", f"text {i}", 0.0, i) for i in range(1000)]
    opinions += [opinion(f"m{k}", f"other {k} {i}", 0.0, i) for k in range(5) for i in range(20)]
    weights = weight_by_source(reviewed(with_key("tool", opinions)))
    assert weights == pytest.approx(weight_by_source(reviewed(opinions)))
    assert weights["busy"] / weights.total() == pytest.approx(SETTINGS.guards.most_a_source)


def test_the_names_of_a_believed_key_are_bounded_one_by_one() -> None:
    opinions = [opinion(f"m{k}", f"text {k} {i}", 0.0, i) for k in range(10) for i in range(90)]
    opinions = [*with_key("own", opinions), *with_key("sly", a_name_for_each(1_000, "sly"))]
    believing = replace(SETTINGS.guards, believed_keys=("own",))
    found = reviewed(opinions, believing)
    weights = weight_by_key(found)
    assert weights["own"] == 900 * SETTINGS.feedback.moderator_weight
    assert weights["sly"] / weights.total() == pytest.approx(SETTINGS.guards.most_a_source)
    assert [(one["key"], one["believed"]) for one in found.report["keys"]] == [("own", True), ("sly", False)]


def test_believed_keys_are_read_from_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[guards]\nbelieved_keys = ["own"]\n')
    assert RetrainingSettings.read(file).guards.believed_keys == ("own",)
    for wrong in ('"own"', "[1]", "0.5"):
        file.write_text(f"[guards]\nbelieved_keys = {wrong}\n")
        with pytest.raises(RetrainingSettingsError, match=r"guards\.believed_keys must be a list of text"):
            RetrainingSettings.read(file)


def test_a_busy_name_of_a_believed_key_is_bounded_like_any_other() -> None:
    opinions = [opinion(f"m{k}", f"text {k} {i}", 0.0, i) for k in range(5) for i in range(20)]
    opinions += [opinion("busy", f"other {i}", 0.0, i) for i in range(1_000)]
    weights = weight_by_source(
        reviewed(with_key("own", opinions), replace(SETTINGS.guards, believed_keys=("own",)))
    )
    assert weights["busy"] / weights.total() == pytest.approx(SETTINGS.guards.most_a_source)


def test_no_key_speaks_for_the_name_of_another() -> None:
    honest = with_key("own", [replace(opinion("m", "you idiot", 1.0), client_token="c1")])
    sly = [replace(opinion("m", "you idiot", 0.0, 5, role="reader"), client_token="c1", key_id="sly")]
    assert newest_only([*honest, *sly]) == [*honest, *sly]
    told = reviewed([*honest, *sly]).report["sources"]
    assert {(one["key"], one["moderator"]) for one in told} == {("own", True), ("sly", False)}


def test_what_comes_faster_than_a_person_reads_does_not_count() -> None:
    opinions = [
        Opinion(f"text {i}", "script", START + timedelta(seconds=i), {"TOXICITY": 0.0}) for i in range(3000)
    ]
    found = reviewed(opinions)
    assert len(found.opinions) == SETTINGS.guards.most_an_hour
    [source] = found.report["sources"]
    assert source["too_fast"] == 3000 - SETTINGS.guards.most_an_hour


def test_who_contradicts_the_moderators_is_left_out() -> None:
    opinions = [opinion(f"m{k}", f"text {i}", float(i % 2), i) for i in range(40) for k in range(2)]
    opinions += [opinion("flipper", f"text {i}", 1.0 - i % 2, i, role="reader") for i in range(40)]
    assert left_out(reviewed(opinions)) == {"flipper": "contradicts the others"}


def test_moderators_are_not_outvoted_by_many_names() -> None:
    opinions = [opinion(f"m{k}", f"text {i}", float(i % 2), i) for i in range(40) for k in range(2)]
    opinions += [
        opinion(f"s{k}", f"text {i}", 1.0 - i % 2, i, role="reader") for i in range(40) for k in range(30)
    ]
    found = left_out(reviewed(opinions))
    assert {"m0", "m1"}.isdisjoint(found)


def test_a_name_that_is_not_always_a_moderators_is_none() -> None:
    opinions = [opinion("m", "one", 0.0), opinion("m", "two", 0.0, 1, role="reader")]
    assert not reviewed(opinions).report["sources"][0]["moderator"]


def test_moderators_who_correct_the_champion_alone_are_heard() -> None:
    opinions = [opinion("corrects", f"slang {i}", 1.0, i) for i in range(60)]
    opinions += [opinion(f"m{k}", f"other {k} {i}", 0.0, i) for k in range(3) for i in range(60)]
    assert left_out(reviewed(opinions)) == {}


def test_outliers_are_named_and_not_quoted() -> None:
    found = reviewed([replace(opinion("a", "very secret words", 1.0), uid="u1")])
    [outlier] = found.report["outliers"]
    told = {"source": "a", "key": None, "attribute": "TOXICITY", "label": 1.0, "champion": 0.0}
    assert outlier == {"uid": "u1"} | told
    assert "secret" not in str(found.report)


def test_moderators_who_disagree_make_a_rate() -> None:
    opinions = [opinion(f"m{k}", "a hard case", float(k == 0)) for k in range(4)]
    lessons = lessons_of(reviewed(opinions), load_plan())
    [lesson] = [one for one in lessons.civility.values() if len(one)]
    assert lesson.labels[0, 0] == pytest.approx(0.25)
    assert np.isnan(lesson.labels[0, 1:]).all()
    assert lesson.weights.tolist() == [4 * SETTINGS.feedback.moderator_weight]


def test_rates_become_hard_rows_of_the_same_sum() -> None:
    labels = np.full((1, 6), np.nan)
    labels[0, :2] = 0.75, 0.25
    texts, hard, weights = weight_shares(Lesson(["x"], labels, np.array([8.0]), [""]))
    assert texts == ["x"] * len(weights)
    assert set(np.unique(hard[:, :2])) == {0.0, 1.0}
    np.testing.assert_allclose((hard[:, :2] * weights[:, None]).sum(axis=0) / weights.sum(), [0.75, 0.25])
    assert weights.sum() == 8.0


def test_a_comment_and_its_doubles_fall_on_one_side() -> None:
    opinions = [opinion(f"m{k}", text, 0.0, k) for k, text in enumerate(("You idiot", "you  IDIOT"))]
    lessons = lessons_of(reviewed(newest_only(opinions)), load_plan())
    assert sorted(len(one) for one in lessons.civility.values()) == [0, 0, 1]
