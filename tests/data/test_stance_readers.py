"""Each stance dataset is read from its original format into the one table."""

from pathlib import Path

import pytest

from data import STANCE_LABELS, StanceRow, read_stance
from data.errors import MalformedFileError, MissingDataError


def read(root: Path, source: str) -> list[StanceRow]:
    rows = read_stance(root, [source])
    assert {row.source for row in rows} == {source}
    assert {row.label for row in rows} <= set(STANCE_LABELS)
    return rows


def triples(rows: list[StanceRow]) -> list[tuple[str, str, str]]:
    return [(row.premise, row.text, row.label) for row in rows]


def test_reserved_posts_of_arc_never_come_out(tiny_data: Path) -> None:
    rows = read(tiny_data, "arc")
    assert triples(rows) == [
        ("Open the park", "Open it now", "agree"),
        ("Keep the park shut", "Open it now", "disagree"),
        ("Bees matter", "Bees buzz", "neutral"),
    ]


def test_opposite_claims_of_a_debate_are_one_group(tiny_data: Path) -> None:
    opened, shut, bees = read(tiny_data, "arc")
    assert opened.group == shut.group != bees.group
    assert {row.group for row in read(tiny_data, "arct-reasons")} == {opened.group}


@pytest.mark.parametrize("content", [None, "", "not an id\n"])
def test_arc_is_not_read_without_its_reserved_list(tiny_data: Path, content: str | None) -> None:
    reserved = tiny_data / "stance/arc/reserved_body_ids.txt"
    reserved.unlink()
    if content is not None:
        reserved.write_text(content)
    with pytest.raises((MissingDataError, MalformedFileError), match="reserved_body_ids"):
        read_stance(tiny_data, ["arc"])


def test_a_reason_agrees_with_its_stance_and_disagrees_with_the_other(tiny_data: Path) -> None:
    assert triples(read(tiny_data, "arct-reasons")) == [
        ("Open the park", "Parks are healthy", "agree"),
        ("Keep the park shut", "Parks are healthy", "disagree"),
    ]


def test_argq_has_confidence_and_official_split(tiny_data: Path) -> None:
    first, second = read(tiny_data, "ibm-argq-rank-30k")
    assert (first.label, first.weight, first.official_split) == ("agree", 0.9, "test")
    assert second.label == "disagree"


def test_claim_stance_mends_what_the_spreadsheet_cut(tiny_data: Path) -> None:
    assert triples(read(tiny_data, "ibm-claim-stance")) == [
        ("This house would ban horns", "Noise harms; sleep; suffers; too", "agree"),
        ("This house would ban horns", "Horns are called useful by drivers", "disagree"),
    ]


def test_an_argument_is_read_once_however_many_key_points(tiny_data: Path) -> None:
    assert triples(read(tiny_data, "argkp-2021")) == [
        ("We should ban horns", "horns  WARN", "disagree"),
        ("We should ban horns", "Ears hurt", "agree"),
    ]


def test_valueeval_turns_conclusion_into_premise(tiny_data: Path) -> None:
    rows = read(tiny_data, "valueeval-2023")
    assert ("We should plant oaks", 'Oaks "last', "agree") in triples(rows)
    assert {row.official_split for row in rows} == {"train", "dev", "test"}


def test_perspectives_have_the_stance_of_their_cluster(tiny_data: Path) -> None:
    rows = read(tiny_data, "perspectrum")
    assert [(row.text, row.label) for row in rows] == [
        ("Shade is good", "agree"),
        ("Roots break pipes", "disagree"),
    ]
    assert {row.official_split for row in rows} == {"dev"}


def test_ukpconvarg_sides_disagree_with_each_other(tiny_data: Path) -> None:
    rows = read(tiny_data, "ukpconvarg1")
    assert set(triples(rows)) == {
        ("Tea or coffee? Tea.", 'Tea calms. So "fine', "agree"),
        ("Tea or coffee? Coffee wins.", 'Tea calms. So "fine', "disagree"),
        ("Tea or coffee? Coffee wins.", "Coffee wakes.", "agree"),
        ("Tea or coffee? Tea.", "Coffee wakes.", "disagree"),
    }
    assert len({row.group for row in rows}) == 1


def test_fnc_joins_headlines_to_bodies_of_their_own_half(tiny_data: Path) -> None:
    rows = read(tiny_data, "fnc-1")
    assert triples(rows)[0] == ("Moose in town", "A moose ran through town.", "agree")
    assert triples(rows)[2] == ("Mayor resigns", "The mayor denied it.", "disagree")
    assert rows[0].group == rows[1].group != rows[2].group


def test_replies_of_a_thread_are_one_group_and_deleted_ones_left_out(tiny_data: Path) -> None:
    doubt, photo, other = read(tiny_data, "reply-stance")
    assert (doubt.premise, doubt.text, doubt.label) == ("Plane lands", "I doubt that", "disagree")
    assert doubt.group == photo.group != other.group
    assert other.official_split is None


def test_breaking_nli_maps_entailment_to_agreement(tiny_data: Path) -> None:
    assert triples(read(tiny_data, "breaking-nli")) == [
        ("A red car.", "A blue car.", "disagree"),
        ("A red car.", "A vehicle.", "agree"),
    ]


def test_sets_that_quote_each_other_give_an_argument_once(tiny_data: Path) -> None:
    rows = read_stance(tiny_data)
    against_horns = [row for row in rows if row.text.casefold().split() == ["horns", "warn"]]
    assert [row.source for row in against_horns] == ["ibm-argq-rank-30k"]


def test_a_motion_is_one_group_in_every_set(tiny_data: Path) -> None:
    rows = read_stance(tiny_data)
    assert len({row.group for row in rows if "horns" in row.premise}) == 1
    assert len({row.group for row in rows if "oaks" in row.premise}) == 1
