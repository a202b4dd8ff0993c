"""Dates as comment pages print them, in four languages, whatever the locale of the machine."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["FoundDate", "find_date", "parse_date"]

_MONTHS = {
    prefix: number
    for number, prefixes in enumerate(
        (
            "jan jän ene",
            "feb fév",
            "mar mär mrz",
            "apr avr abr",
            "may mai",
            "jun juin",
            "jul juil",
            "aug aoû ago",
            "sep",
            "oct okt",
            "nov",
            "dec dez déc dic",
        ),
        start=1,
    )
    for prefix in prefixes.split()
}
_MONTH = (
    r"(?P<name>jan(?:uary|uar)?|jän(?:ner)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|mär|mrz|apr(?:il)?|may|mai"
    r"|june?|juni|july?|juli|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|okt(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?|dez(?:ember)?"
    r"|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
    r"|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)\b\.?"
)
_WEEKDAY = r"(?:\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?,?\s+)?"
_DAY = r"(?P<day>\d{1,2})"
_YEAR = r"(?P<year>\d{4})"
_TIME = (
    r"(?:(?:,?\s*(?:\bat\b|\bum\b|\bà\b|\ba las?\b|[@|\u2013\u2014-])\s*|,\s*|\s+|t)"
    r"(?P<hour>\d{1,2})(?:(?:[:.]|\s?h\s?)(?P<minute>\d{2})(?:\s?min\b)?(?::(?P<second>\d{2})(?:\.\d{1,6})?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
    r"|\s*(?P<half_only>[ap])\.?m\b\.?)"
    r"(?:\s*Uhr\b)?(?:\s*(?P<zone>(?:UTC|GMT|Z)\b|[+-]\d{2}:?\d{2}))?)?"
)
_WRITTEN = tuple(
    re.compile(r"(?<![\w/.-])" + day + _TIME + r"(?![\w/])", re.IGNORECASE)
    for day in (
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}",
        rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th|er|\.)?\s*(?:(?:of|de)\s+)?{_MONTH},?\s+(?:de\s+)?{_YEAR}",
        rf"(?P<first>\d{{1,2}})(?P<mark>[/.-])(?P<second_part>\d{{1,2}})(?P=mark){_YEAR}",
        rf"{_YEAR}[/.-](?P<month>\d{{1,2}})[/.-]{_DAY}",
    )
)
_RELATIVE = re.compile(
    r"\b(?:(?:\d{1,3}|an?|one) (?:second|minute|hour|day|week|month|year)s? ago|yesterday|today|just now)\b"
    r"(?:,? at \d{1,2}:\d{2}(?:\s*[ap]m)?)?",
    re.IGNORECASE,
)
_NOT_A_LINE = 400


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a line, at `begin` to `end` (exclusive); `value` is None where it cannot be understood."""

    begin: int
    end: int
    text: str
    value: datetime | None
    has_time: bool


def find_date(line: str) -> FoundDate | None:
    """The first thing in `line` that is written like a date, None where there is nothing.

    A line of more than 400 characters is prose and is not searched.
    """
    if len(line) > _NOT_A_LINE:
        return None
    found = [match for pattern in _WRITTEN if (match := pattern.search(line))]
    if found:
        match = min(found, key=lambda match: (match.start(), -match.end()))
        return FoundDate(
            match.start(), match.end(), match[0].strip(), _value(match), match["hour"] is not None
        )
    if match := _RELATIVE.search(line):
        return FoundDate(match.start(), match.end(), match[0], None, has_time=True)
    return None


def parse_date(text: str) -> datetime | None:
    """The moment that `text` names, as written: naive without an offset, None where it is not understood.

    Knows ISO 8601 and the forms of WordPress, for example "November 17, 2016 at 8:51 pm", "17. November
    2016 um 20:51 Uhr", "17/11/2016 at 8:51 pm". Numbers that could be read two ways ("03/04/2016") are
    not understood.
    """
    text = text.strip()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        found = find_date(text)
        return found.value if found and (found.begin, found.end) == (0, len(text)) else None


def _value(match: re.Match[str]) -> datetime | None:
    parts = match.groupdict()
    month_and_day = _month_and_day(parts)
    if month_and_day is None:
        return None
    month, day = month_and_day
    hour, half = int(parts["hour"] or 0), (parts["half"] or parts["half_only"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return datetime(
            int(parts["year"]),
            month,
            day,
            hour,
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            tzinfo=_offset(parts["zone"]),
        )
    except ValueError:
        return None


def _month_and_day(parts: dict[str, str | None]) -> tuple[int, int] | None:
    if name := parts.get("name"):
        return _MONTHS.get(name[:4].lower()) or _MONTHS[name[:3].lower()], int(parts["day"] or 0)
    if month := parts.get("month"):
        return int(month), int(parts["day"] or 0)
    first, second = int(parts["first"] or 0), int(parts["second_part"] or 0)
    if parts["mark"] == "." or first > 12 or first == second:
        return second, first
    return (first, second) if second > 12 else None


def _offset(zone: str | None) -> timezone | None:
    if not zone:
        return None
    if zone[0] not in "+-":
        return UTC
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
