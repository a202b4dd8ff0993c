"""What an article claims: the text towards which a comment's stance is told."""

import re
from typing import NamedTuple

from app.headlines import claim_in
from app.reading import is_blank
from app.schemas import Article, Claims, PremiseSource

__all__ = [
    "LEAD_CHARACTERS",
    "Premise",
    "are_listed",
    "find_premise",
    "find_premises",
    "given_claims",
    "lead_of",
]

LEAD_CHARACTERS = 600
"""Most code points of a text's lead."""

_LINE_END = re.compile(r"\r\n?")
_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
_PARAGRAPHS_TRIED = 4


class Premise(NamedTuple):
    """A claim, and where it was found."""

    text: str
    source: PremiseSource


def find_premises(article: Article | None, registered: Claims | None = None) -> list[Premise]:
    """Return the claims of the request or those registered, in order, or else the one best premise known.

    In this order: the request's own, those registered for the article, the title, the lead of the
    text. A title that makes no claim comes after the lead. Blank ones count as unknown. The text of a
    premise differs from what was given in the white space around it and in a label such as "Opinion:"
    before a title.
    """
    if article is None and registered is None:
        return []
    if claims := given_claims(article):
        return [Premise(claim, "premise") for claim in claims]
    if claims := _visible(registered):
        return [Premise(claim, "registered") for claim in claims]
    given = article or Article()
    title = None if given.title is None or is_blank(given.title) else given.title.strip()
    if title is not None and (claim := claim_in(title)) is not None:
        return [Premise(claim, "title")]
    lead = None if given.text is None else lead_of(given.text)
    if lead is not None:
        return [Premise(lead, "lead")]
    return [] if title is None else [Premise(title, "title")]


def find_premise(article: Article | None, registered: Claims | None = None) -> str | None:
    """Return the text of the first of `find_premises`, or None."""
    return next((premise.text for premise in find_premises(article, registered)), None)


def given_claims(article: Article | None) -> list[str]:
    """Return what `article.premise` holds that is not blank."""
    return [] if article is None else _visible(article.premise)


def are_listed(article: Article | None, registered: Claims | None = None) -> bool:
    """Tell whether what `find_premises` returns was given or registered as a list of claims."""
    given = None if article is None else article.premise
    return isinstance(next(filter(_visible, (given, registered)), None), list)


def lead_of(text: str) -> str | None:
    """Return the lead of `text` on one line, at most `LEAD_CHARACTERS`, cut between words.

    That is the first paragraph, or one of the next three where those before it make no claim, as a
    label or a question does. A paragraph ends at an empty line. None where the text is blank.
    """
    paragraphs = (
        " ".join(paragraph.split())
        for paragraph in _PARAGRAPH_BREAK.split(_LINE_END.sub("\n", text))
        if not is_blank(paragraph)
    )
    tried = [line for line, _ in zip(paragraphs, range(_PARAGRAPHS_TRIED), strict=False)]
    lead = next((line for line in tried if claim_in(line) is not None), tried[0] if tried else None)
    return lead if lead is None or len(lead) <= LEAD_CHARACTERS else _cut(lead)


def _visible(claims: Claims | None) -> list[str]:
    given = [claims] if isinstance(claims, str) else claims or []
    return [claim.strip() for claim in given if not is_blank(claim)]


def _cut(line: str) -> str:
    head = line[: LEAD_CHARACTERS + 1]
    return head.rsplit(" ", 1)[0] if " " in head else head[:LEAD_CHARACTERS]
