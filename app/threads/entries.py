"""The lines that open a comment: bullet, author and date, in the orders that themes print them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.threads.dates import FoundDate, find_date

__all__ = ["Entry", "entry_at"]

_SAYS = r"(?:says|said|writes|wrote|sagt|sagte|schreibt|schrieb|a dit|dit|dice|dijo)"
_BULLET = re.compile(
    r"(?P<indent>\s*)(?P<bullet>[•◦▪‣·●○∙*+\u2013\u2014-]|o(?=\s)|\d{1,4}[.)](?=\s))(?P<rest>.*)"
)
_LONE_BULLET = re.compile(r"\s*[•◦▪‣●○]\s*(?:\S.{0,79}?['’]s avatar\s*)?")
# What a screen reader is told about the picture, which copying turns into text.
_AVATAR = re.compile(r"(?P<name>\S.{0,79}?)['’]s avatar\s*(?=(?P=name))")
_TRAILING_LINKS = re.compile(
    r"(?:\s*[(\[|·#/]*\s*\b(?:reply|edit|permalink|(?:like){1,2}|antworten|bearbeiten|répondre|responder)\b"
    r"\s*[)\]↓]*|\s+#)+\s*$",
    re.IGNORECASE,
)
_AUTHOR_SAYS = re.compile(rf"(?P<author>\S.{{0,79}}?)\s+{_SAYS}\s*:?", re.IGNORECASE)
_AUTHOR_ON = re.compile(rf"(?P<author>\S.{{0,79}}?)(?:\s+{_SAYS})?\s+(?:on|am)", re.IGNORECASE)
_AFTER_AUTHOR_ON = re.compile(rf"\s*(?:{_SAYS}\s*)?:?", re.IGNORECASE)
_AFTER_ON = re.compile(rf",?\s*(?P<author>\S.{{0,79}}?)\s+{_SAYS}\s*:(?P<rest>.*)", re.IGNORECASE)
_AUTHOR_MARK = re.compile(r"(?P<author>\S.{0,59}?)\s*(?://|[,|·\u2013\u2014(-])", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<!\b\w)[.!?…]$")
_LONGEST_NAME = 60
_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """The opening of a comment.

    `indent` is the column of its bullet or first letter, `rest` what of the comment's text stands in the
    same line, `next_line` the number of the first line below it.
    """

    author: str | None
    date: FoundDate
    indent: int
    bulleted: bool
    rest: str
    next_line: int


def entry_at(lines: Sequence[str], number: int, *, days_suffice: bool = False) -> Entry | None:
    """The opening of a comment that begins in line `number`, None where none does.

    Without a bullet, a name above a date opens a comment only where the date has a time, unless
    `days_suffice`.
    """
    line = lines[number]
    if not line.strip() or len(line) > _LONGEST_LINE:
        return None
    if _LONE_BULLET.fullmatch(line):
        below = _next_filled(lines, number)
        if below is None:
            return None
        number, line = below, f"{line} {lines[below].strip()[:_LONGEST_LINE]}"
    indent = len(line) - len(line.lstrip())
    bare = line.strip()
    match = _BULLET.fullmatch(line)
    # "17. November" begins like an entry of a numbered list.
    bulleted = match is not None and not _is_date(bare)
    opening = _AVATAR.sub("", match["rest"].strip() if match and bulleted else bare, count=1)
    return _one_line(opening, indent, number, bulleted=bulleted) or _two_lines(
        lines, number, opening, indent, bulleted=bulleted, days_suffice=days_suffice
    )


def _is_date(line: str) -> bool:
    date = find_date(line)
    return date is not None and (date.begin, date.end) == (0, len(line))


def _one_line(line: str, indent: int, number: int, *, bulleted: bool) -> Entry | None:
    line = _TRAILING_LINKS.sub("", line)
    date = find_date(line)
    if date is None or not (bulleted or date.has_time):
        return None
    before, after = line[: date.begin].strip(), line[date.end :]
    if not before and not after.strip():
        return Entry(None, date, indent, bulleted, "", number + 1)
    if (match := _AUTHOR_ON.fullmatch(before)) and _AFTER_AUTHOR_ON.fullmatch(after):
        return Entry(match["author"], date, indent, bulleted, "", number + 1)
    if before.lower() in {"on", "am", ""} and (match := _AFTER_ON.fullmatch(after)):
        return Entry(match["author"], date, indent, bulleted, match["rest"].strip(), number + 1)
    if after.strip() in {"", ")", ":"} and (match := _AUTHOR_MARK.fullmatch(before)):
        return Entry(match["author"], date, indent, bulleted, "", number + 1)
    return None


def _two_lines(
    lines: Sequence[str], number: int, author: str, indent: int, *, bulleted: bool, days_suffice: bool
) -> Entry | None:
    """The author's name in one line, the date alone in the next one with anything in it."""
    below = _next_filled(lines, number)
    if below is None or len(lines[below]) > _LONGEST_LINE:
        return None
    line = _TRAILING_LINKS.sub("", lines[below].strip())
    date = find_date(line) if _is_date(line) else None
    if date is None:
        return None
    if match := _AUTHOR_SAYS.fullmatch(author):
        return Entry(match["author"], date, indent, bulleted, "", below + 1)
    stands_alone = (
        number == 0 or not lines[number - 1].strip() or _TRAILING_LINKS.fullmatch(lines[number - 1])
    )
    is_name = 0 < len(author) <= _LONGEST_NAME and not _SENTENCE_END.search(author)
    adjacent = below == number + 1 and (date.has_time or days_suffice) and stands_alone
    return (
        Entry(author, date, indent, bulleted, "", below + 1) if is_name and (bulleted or adjacent) else None
    )


def _next_filled(lines: Sequence[str], number: int) -> int | None:
    return next(
        (below for below in range(number + 1, min(number + 4, len(lines))) if lines[below].strip()), None
    )
