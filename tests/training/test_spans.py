import pytest

from models import Span
from training.spans import RULES, SpanRule, choose_rule, mean_span_f1, span_f1

TEXT = "You utter, utter fool of a man"
UTTER, AGAIN, FOOL = (4, 9), (11, 16), (17, 21)


def spans(*scores: tuple[tuple[int, int], str, float]) -> list[Span]:
    return [Span(*place, attribute, score) for place, attribute, score in scores]


def characters(*places: tuple[int, int]) -> frozenset[int]:
    return frozenset(at for begin, end in places for at in range(begin, end))


@pytest.mark.parametrize(
    ("predicted", "marked", "f1"),
    [
        (frozenset(), frozenset(), 1.0),
        (frozenset({1}), frozenset(), 0.0),
        (frozenset(), frozenset({1}), 0.0),
        (frozenset({1, 2, 3, 4}), frozenset({3, 4}), 2 / 3),  # precision 1/2, recall 1
        (frozenset({1, 2}), frozenset({2, 3}), 1 / 2),
    ],
)
def test_f1_of_two_sets_of_characters(predicted: frozenset[int], marked: frozenset[int], f1: float) -> None:
    assert span_f1(predicted, marked) == pytest.approx(f1)


def test_the_mean_is_over_texts() -> None:
    rule = SpanRule("TOXICITY", 0.1, 0.0, 0)
    texts = [(TEXT, characters(FOOL)), ("All is well", frozenset[int]())]
    named = [spans((FOOL, "TOXICITY", 0.5), (AGAIN, "TOXICITY", 0.05)), []]
    assert mean_span_f1(rule, texts, named) == 1.0
    assert mean_span_f1(rule, texts, [named[0], spans(((0, 3), "TOXICITY", 0.2))]) == 0.5


def test_words_count_from_the_threshold_and_from_a_share_of_the_highest() -> None:
    named = spans((UTTER, "TOXICITY", 0.04), (FOOL, "TOXICITY", 0.2))
    assert SpanRule("TOXICITY", 0.1, 0.0, 0).characters(TEXT, named) == characters(FOOL)
    assert SpanRule("TOXICITY", 0.02, 0.0, 0).characters(TEXT, named) == characters(UTTER, FOOL)
    assert SpanRule("TOXICITY", 0.02, 0.5, 0).characters(TEXT, named) == characters(FOOL)


def test_any_attribute_or_toxicity_alone() -> None:
    named = spans((FOOL, "INSULT", 0.6), (FOOL, "TOXICITY", 0.1))
    assert SpanRule("any", 0.5, 0.0, 0).characters(TEXT, named) == characters(FOOL)
    assert SpanRule("TOXICITY", 0.5, 0.0, 0).characters(TEXT, named) == frozenset()


def test_small_gaps_are_joined_but_never_over_a_word() -> None:
    named = spans((UTTER, "TOXICITY", 0.3), (AGAIN, "TOXICITY", 0.3), (FOOL, "TOXICITY", 0.3))
    assert SpanRule("TOXICITY", 0.1, 0.0, 1).characters(TEXT, named) == characters(UTTER, (11, 21))
    assert SpanRule("TOXICITY", 0.1, 0.0, 2).characters(TEXT, named) == characters((4, 21))
    apart = spans(((22, 24), "TOXICITY", 0.3), ((27, 30), "TOXICITY", 0.3))
    assert SpanRule("TOXICITY", 0.1, 0.0, 4).characters(TEXT, apart) == characters((22, 24), (27, 30))


def test_the_rule_that_is_best_on_these_texts_is_chosen() -> None:
    named = spans((UTTER, "TOXICITY", 0.12), (FOOL, "TOXICITY", 0.4))
    texts = [(TEXT, characters(FOOL))] * 3
    chosen = choose_rule(texts, [named] * 3)
    assert chosen in RULES
    assert mean_span_f1(chosen, texts, [named] * 3) == 1.0
