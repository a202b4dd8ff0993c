"""Whether a headline claims anything: a question, a label or a quotation does not.

Only what is plain to see is recognised, in English; whatever else is taken for a claim.
"""

import re

__all__ = ["claim_in"]

_SECTIONS = (
    "arts|books|business|climate|crime|culture|economy|education|entertainment|environment|football|health|"
    "international|life|lifestyle|local news|media|money|national|news|politics|science|society|sports?|"
    "style|tech|technology|travel|uk news|us news|world|world news"
)
# After these, a separator and more words, the words make the claim.
_KINDS = (
    "analysis|breaking(?: news)?|column|comment|commentary|editorial|essay|explainer|"
    "guest (?:column|essay|post)|leader|letter|op-?ed|opinion|perspective|review|"
    "the .{1,30} view(?: on [^:|]{1,60})?|update|video|viewpoint|voices|watch"
)
# Whatever follows these is no claim either.
_LABELS = (
    r"(?:\w+ )?briefing|cartoon|corrections?(?: and clarifications)?|crossword|editorials|have your say|"
    r"(?:five|six|seven|ten|\d+) things (?:to know|we (?:learned|know)).*|horoscopes?|"
    r"in (?:brief|pictures|photos)|(?:readers[’']? |your )?letters(?: to the editor)?|"
    r"live(?: blog| coverage)?|(?:live )?updates?|news in brief|obituar(?:y|ies)|open thread|"
    r"photos? of the day|podcast|poll|quiz|quote of the day|(?:the )?week in review|today in history|"
    r"weather|what (?:to|we) know.*|your (?:views|comments)"
)
_SEPARATOR = r"\s*(?:[:|–—]|\s-\s)\s*"
_PREFIX = re.compile(rf"(?:{_KINDS}|{_SECTIONS}){_SEPARATOR}(?=\S)", re.IGNORECASE)
_TAIL = rf"{_SEPARATOR}.*|\s*[,(].*|\s+(?:for|from|of|on)(?:\s\S+){{1,3}}"
_LABEL = re.compile(rf"(?:{_KINDS}|{_SECTIONS}|(?:{_LABELS})(?:{_TAIL})?)[.!]?", re.IGNORECASE)
_ASKS = re.compile(r"(?:are|could|did|does|is|should|was|were|would)\s", re.IGNORECASE)
_AFTER_A_QUESTION = " \"'’”»)]!"
_SENTENCE_END = re.compile(r"[.!:;]\s")
_STATEMENT_END = re.compile(r"[a-z]{3}[.!][\"'”’)]*\s")  # longer than an abbreviation
_QUOTES = (("“", "”"), ("„", "“"), ("«", "»"), ('"', '"'), ("‘", "’"), ("'", "'"))
_QUOTATION = [
    re.compile(
        rf"{opening}(?P<said>(?:[^{opening}{closing}]|(?<=\w){closing}(?=\w))+){closing}[.,]?(?=\s*(?:$|[,:;–—]|-\s))"
    )
    for opening, closing in _QUOTES
]
_QUOTED = [
    re.compile(rf"[^:\s]+(?:\s[^:\s]+){{0,3}}:\s*{opening}(?P<said>.+){closing}[.!]?$")
    for opening, closing in _QUOTES
]
_FEWEST_QUOTED_WORDS = 3  # fewer are a name or scare quotes
_LONGEST_WORD = 30  # scripts without spaces write a sentence as one
_CHARACTERS_READ = 1_000


def claim_in(headline: str) -> str | None:
    """Return what a headline or first paragraph claims, without a label before it, or None.

    None is returned for a question, a label (the name of a section or column, "Letters to the editor",
    "Live updates: …", a single word) and a quotation, alone or with who says it. What "Opinion:", the name
    of a section and the like stand before is judged without them.

    Args:
        headline: one line without white space around it; of a long one the beginning decides.
    """
    prefix = _PREFIX.match(headline)
    claim = headline[prefix.end() :] if prefix else headline
    read = claim[:_CHARACTERS_READ]
    if _is_label(read) or _is_quotation(read) or _is_question(claim[-_CHARACTERS_READ:]):
        return None
    return claim


def _is_label(line: str) -> bool:
    one_word = " " not in line and len(line) <= _LONGEST_WORD
    return one_word or _LABEL.fullmatch(line) is not None


def _is_question(line: str) -> bool:
    if line.rstrip(_AFTER_A_QUESTION).endswith("?"):
        return not _STATEMENT_END.search(line)
    # Headlines may ask without a mark; the sentences of a paragraph have theirs.
    asks = _ASKS.match(line) is not None and not line.endswith(".") and not _SENTENCE_END.search(line)
    return asks and not (line.startswith("IS ") and not line.isupper())  # the militia


def _is_quotation(line: str) -> bool:
    found = [pattern.match(line) for pattern in (*_QUOTATION, *_QUOTED)]
    return any(one is not None and len(one["said"].split()) >= _FEWEST_QUOTED_WORDS for one in found)
