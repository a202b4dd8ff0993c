"""Each civility dataset is read from its original format into the one table."""

from pathlib import Path

import numpy as np
import pytest

from data import ATTRIBUTES, CivilityRow, attribute_matrix, read_civility, read_toxic_spans


def read(root: Path, source: str) -> list[CivilityRow]:
    rows = read_civility(root, [source])
    assert {row.source for row in rows} == {source}
    return rows


def known(row: CivilityRow) -> dict[str, float]:
    return {name: value for name, value in zip(ATTRIBUTES, row.attributes, strict=True) if value == value}


ALL_ZERO = dict.fromkeys(ATTRIBUTES, 0.0)


def test_attributes_are_those_of_the_models() -> None:
    from models import ATTRIBUTES as OF_THE_MODELS

    assert ATTRIBUTES == OF_THE_MODELS


def test_jigsaw_keeps_unknown_labels_unknown(tiny_data: Path) -> None:
    clean, insult, only_any = read(tiny_data, "jigsaw-toxic-comments")
    assert clean.text == "Thanks,\nall"
    assert known(clean) == ALL_ZERO
    assert known(insult) == {**ALL_ZERO, "TOXICITY": 1.0, "INSULT": 1.0}
    assert known(only_any) == {"TOXICITY": 1.0}


def test_davidson_does_not_call_profanity_toxic(tiny_data: Path) -> None:
    hate, offensive, neither = read(tiny_data, "davidson-2017")
    assert hate.text == "go home, all of you"
    assert known(hate) == {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0}
    assert known(offensive) == {"PROFANITY": 1.0}
    assert known(neither) == ALL_ZERO


def test_toxic_spans_make_a_text_toxic_and_keep_their_places(tiny_data: Path) -> None:
    assert [known(row) for row in read(tiny_data, "toxic-spans")] == [
        {"TOXICITY": 1.0},
        {},
        {"TOXICITY": 1.0},
    ]
    assert [row.official_split for row in read(tiny_data, "toxic-spans")] == ["train", "train", "dev"]
    first = read_toxic_spans(tiny_data)[0]
    assert "".join(first.text[place] for place in first.offsets) == "fool"


def test_fox_news_comments_stand_under_their_article(tiny_data: Path) -> None:
    hateful, reply = read(tiny_data, "fox-news-comments")
    assert known(hateful) == {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0}
    assert known(reply) == {"IDENTITY_ATTACK": 0.0}
    assert (reply.premise, reply.parent, hateful.parent) == ("Town opens park", "Those people again", None)
    assert hateful.group == reply.group


def test_wiki_context_has_parents_and_the_label_of_the_comment_alone(tiny_data: Path) -> None:
    rows = read(tiny_data, "wiki-toxicity-context")
    assert [(row.text, row.parent, known(row)["TOXICITY"]) for row in rows] == [
        ("You liar", "I did it", 1.0),
        ("Please cite it", None, 0.0),
        ("Good grief", "No", 0.0),
    ]


def test_templates_are_grouped_by_template_and_language(tiny_data: Path) -> None:
    rows = read(tiny_data, "identity-templates")
    assert [(row.language, known(row)["TOXICITY"]) for row in rows] == [
        ("en", 1.0),
        ("en", 0.0),
        ("de", 0.0),
        ("nl", 0.0),
        ("en", 0.0),
    ]
    assert rows[0].group == rows[1].group != rows[2].group != rows[3].group
    assert rows[4].text == 'Bakers of the town\nmet "again".'


def test_reddit_incivility_mends_wrongly_encoded_quotes(tiny_data: Path) -> None:
    uncivil, civil = read(tiny_data, "reddit-incivility")
    assert uncivil.text == "You couldn\N{RIGHT SINGLE QUOTATION MARK}t spell it, clown"
    assert (known(uncivil), known(civil)) == ({"TOXICITY": 1.0}, {"TOXICITY": 0.0})


def test_paradetox_keeps_a_sentence_with_its_rewrites(tiny_data: Path) -> None:
    rows = read(tiny_data, "paradetox")
    assert [known(row)["TOXICITY"] for row in rows] == [1.0, 0.0, 0.0]
    assert len({row.group for row in rows}) == 1


def test_germeval_uses_the_fine_label(tiny_data: Path) -> None:
    abuse, insult, profanity, other = read(tiny_data, "germeval-2018")
    assert abuse.text == 'Ihr "Leute'
    assert known(abuse) == {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0}
    assert known(insult) == {"TOXICITY": 1.0, "INSULT": 1.0}
    assert known(profanity) == {"PROFANITY": 1.0}
    assert known(other) == ALL_ZERO
    assert (abuse.language, abuse.official_split, other.official_split) == ("de", "train", "test")


def test_told_br_needs_two_of_three_annotators(tiny_data: Path) -> None:
    two, one, none = read(tiny_data, "told-br")
    assert known(two) == {"TOXICITY": 1.0, "INSULT": 1.0, "IDENTITY_ATTACK": 0.0}
    assert known(one) == {"INSULT": 0.0, "IDENTITY_ATTACK": 0.0}
    assert known(none) == dict.fromkeys(("TOXICITY", "INSULT", "PROFANITY", "IDENTITY_ATTACK"), 0.0)
    assert two.language == "pt"


def test_korean_hate_with_a_bias_attacks_an_identity(tiny_data: Path) -> None:
    hate, none = read(tiny_data, "korean-hate-news")
    assert known(hate) == {"TOXICITY": 1.0, "INSULT": 1.0, "IDENTITY_ATTACK": 1.0}
    assert known(none) == ALL_ZERO
    assert (hate.language, none.official_split) == ("ko", "dev")


def test_all_sets_make_one_table(tiny_data: Path) -> None:
    rows = read_civility(tiny_data)
    assert {row.source for row in rows} >= {"jigsaw-toxic-comments", "told-br", "paradetox"}
    assert attribute_matrix(rows).shape == (len(rows), 6)
    assert attribute_matrix([]).shape == (0, 6)
    assert np.nanmax(attribute_matrix(rows)) == pytest.approx(1.0)
