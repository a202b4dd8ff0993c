"""Long texts in passages: what one insult at the end of a long comment is looked for in."""

from collections.abc import Iterator

__all__ = ["passages"]

_SENTENCE_ENDS = (". ", "! ", "? ", "\n")


def passages(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of consecutive passages of at most `size` characters that cover `text`.

    A passage ends with a sentence where one ends in its second half, else with a word, else anywhere.

    Args:
        text: any text.
        size: most characters of a passage, at least 2.
    """
    begin = 0
    while len(text) - begin > size:
        end = _last_end(text, begin + size // 2, begin + size)
        yield begin, end
        begin = end
    yield begin, len(text)


def _last_end(text: str, first: int, last: int) -> int:
    sentence = max(text.rfind(mark, first, last) + len(mark) for mark in _SENTENCE_ENDS)
    if sentence > first:
        return sentence
    space = text.rfind(" ", first, last)
    return space + 1 if space >= 0 else last
