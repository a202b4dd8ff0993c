from datetime import datetime, timedelta

from data.examples import ExampleThread
from models import ATTRIBUTES

Examples = dict[str, ExampleThread]


def test_there_are_enough_threads_of_a_natural_size(examples: Examples) -> None:
    assert len(examples) >= 6
    for thread in examples.values():
        assert 8 <= len(thread.comments) <= 15
        assert 250 <= len(thread.article.text.split()) <= 450
        assert len(thread.article.text.split("\n\n")) >= 4
        assert thread.article.premise.endswith(".")


def test_every_thread_shows_every_stance_and_both_sides_of_civility(examples: Examples) -> None:
    for thread in examples.values():
        labels = [comment.labels for comment in thread.comments]
        assert {label.stance for label in labels} == {"agree", "disagree", "neutral", "unrelated"}
        assert {label.civil for label in labels} == {True, False}
        for stance in ("agree", "disagree"):
            assert any(label.civil and label.stance == stance for label in labels), thread.article.id


def test_replies_answer_an_earlier_comment(examples: Examples) -> None:
    for thread in examples.values():
        dates: dict[str, datetime] = {}
        for comment in thread.comments:
            assert comment.date.utcoffset() is not None
            assert comment.date > thread.article.published
            assert comment.date - thread.article.published < timedelta(days=2)
            if comment.parent is not None:
                assert dates[comment.parent] < comment.date
            assert comment.id not in dates
            dates[comment.id] = comment.date
        assert any(comment.parent for comment in thread.comments)


def test_attributes_are_known_and_tell_why_a_comment_is_uncivil(examples: Examples) -> None:
    seen = set()
    for thread in examples.values():
        for comment in thread.comments:
            names = set(comment.labels.attributes)
            seen |= names
            assert names <= set(ATTRIBUTES)
            if comment.labels.civil:
                assert names <= {"PROFANITY"}
            else:
                assert "TOXICITY" in names
                assert len(names) >= 2
    assert seen >= {"INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK"}


def test_the_hard_kinds_of_comment_are_there(examples: Examples) -> None:
    comments = [comment for thread in examples.values() for comment in thread.comments]
    sizes = [len(comment.text.split()) for comment in comments]
    assert min(sizes) == 1
    assert max(sizes) >= 200
    assert any(not comment.text.isascii() and max(comment.text) > "\U0001f000" for comment in comments)
    assert any(comment.labels.civil and comment.labels.attributes for comment in comments)


def test_no_text_is_used_twice(examples: Examples) -> None:
    texts = [comment.text for thread in examples.values() for comment in thread.comments]
    assert len(texts) == len(set(texts))
