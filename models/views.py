"""The parts of a comment that the pair encoder reads: the whole, and the sentences that matter most."""

import re

from models.evidence import sentences
from models.text import normalise

__all__ = ["views"]

_WORD = re.compile(r"[^\W_]{4,}")


def views(premise: str, comment: str, most: int) -> list[str]:
    """Return the comment, then up to `most` of its sentences in their order.

    Chosen are the opening, the closing, and those that share the most words with the premise. A
    comment of one sentence has no view but itself.
    """
    parts = sentences(comment)
    if len(parts) < 2 or most < 1:
        return [comment]
    wanted = {word[:5] for word in _WORD.findall(normalise(premise))}
    shared = [len(wanted & {word[:5] for word in _WORD.findall(normalise(part))}) for part in parts]
    last = len(parts) - 1
    order = sorted(range(len(parts)), key=lambda place: (place not in (0, last), -shared[place], place))
    return [comment, *(parts[place] for place in sorted(order[:most]))]
