"""What an article claims: the text towards which a comment's stance is told."""

import re

from app.reading import is_blank
from app.schemas import Article

__all__ = ["LEAD_CHARACTERS", "find_premise", "lead_of"]

LEAD_CHARACTERS = 600
"""Most code points of a text's lead."""

_LINE_END = re.compile(r"\r\n?")
_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")


def find_premise(article: Article | None, registered: str | None = None) -> str | None:
    """Return the best premise known, or None.

    In this order: the request's own, the one registered for the article, the title, the lead of the
    text. Blank ones count as unknown.
    """
    given = article or Article()
    for premise in (given.premise, registered, given.title):
        if premise is not None and not is_blank(premise):
            return premise.strip()
    return lead_of(given.text) if given.text is not None else None


def lead_of(text: str) -> str | None:
    """Return the first paragraph of `text` on one line, at most `LEAD_CHARACTERS`, cut between words.

    A paragraph ends at an empty line. None where the text is blank.
    """
    for paragraph in _PARAGRAPH_BREAK.split(_LINE_END.sub("\n", text)):
        if not is_blank(paragraph):
            line = " ".join(paragraph.split())
            return line if len(line) <= LEAD_CHARACTERS else _cut(line)
    return None


def _cut(line: str) -> str:
    head = line[: LEAD_CHARACTERS + 1]
    return head.rsplit(" ", 1)[0] if " " in head else head[:LEAD_CHARACTERS]
