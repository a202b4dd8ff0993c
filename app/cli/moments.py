"""Moments as a command is told them: by an age such as 90d, or by a date."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import typer

__all__ = ["read_moment"]

_AGE = re.compile(r"([0-9]{1,6})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def read_moment(text: str, option: str, *, towards: Literal["past", "future"]) -> datetime:
    """Return the moment that is so old, or so far ahead, or that a date names; UTC where it names no zone.

    Raises:
        BadParameter: it is neither.
    """
    if found := _AGE.fullmatch(text):
        try:
            span = timedelta(**{_UNITS[found[2]]: int(found[1])})
            return datetime.now(UTC) + (span if towards == "future" else -span)
        except OverflowError:
            raise typer.BadParameter(f"{option}: there is no calendar for that time") from None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: give an age such as 90d, or a date such as 2026-01-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
