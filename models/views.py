"""What the pair encoder reads of a comment: the whole, in parts where it is long, and telling sentences."""

import math
import re
from itertools import pairwise

from models.evidence import sentence_places, sentences
from models.text import normalise

__all__ = ["parts", "telling_sentences"]

_MOST_PARTS = 4
_STRAYS = 0.2  # of a part's words: how far a cut is moved to fall between sentences
_WORD = re.compile(r"\S+")
_LONG_WORD = re.compile(r"[^\W_]{4,}")


def parts(comment: str, most_words: int | None) -> list[str]:
    """Return the comment, cut into parts of about one length where it has more words.

    It is cut between sentences where one ends nearby. Of more than four parts the first three and the last
    are returned: who writes that much says it at the beginning or at the end. None cuts nothing.
    """
    words = [found.start() for found in _WORD.finditer(comment)]
    if most_words is None or len(words) <= most_words:
        return [comment]
    begins = {begin for begin, _ in sentence_places(comment)}
    between = [place for place, begin in enumerate(words) if begin in begins]
    count = math.ceil(len(words) / most_words)
    cuts = [0]
    for place in range(1, count):
        even = round(len(words) * place / count)
        near = min(between, key=lambda cut: abs(cut - even), default=even)
        cuts.append(near if abs(near - even) <= _STRAYS * most_words else even)
    bounds = [*(words[cut] for cut in cuts), len(comment)]
    found = [comment[begin:end].strip() for begin, end in pairwise(bounds)]
    return found if count <= _MOST_PARTS else [*found[: _MOST_PARTS - 1], found[-1]]


def telling_sentences(premise: str, comment: str, most: int) -> list[str]:
    """Return up to `most` of the comment's sentences, in their order; none where it has but one.

    Chosen are the opening, the closing, and those that share the most words with the premise.
    """
    every = sentences(comment) if most else []
    if len(every) < 2:
        return []
    wanted = {word[:5] for word in _LONG_WORD.findall(normalise(premise))}
    shared = [len(wanted & {word[:5] for word in _LONG_WORD.findall(normalise(one))}) for one in every]
    last = len(every) - 1
    order = sorted(range(len(every)), key=lambda place: (place not in (0, last), -shared[place], place))
    return [every[place] for place in sorted(order[:most])]
