"""A span of time as conditions of a query."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

__all__ = ["between"]


def between(time: Any, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions by which `time`, a column, is not before `since` and is before `until`."""
    wanted: list[ColumnElement[bool]] = []
    if since is not None:
        wanted.append(time >= since)
    if until is not None:
        wanted.append(time < until)
    return wanted
