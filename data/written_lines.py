"""JSON lines of what was written for this project to learn from: every fault names the file and the line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.errors import ChecksError

__all__ = ["SIDES", "json_values", "texts_of"]

SIDES = ("agree", "disagree", "neutral")
"""The stances that something is written for, in order."""


def json_values(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield of each line its place, for messages, and its value.

    Raises:
        ChecksError: the file cannot be read, or a line is not JSON.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ChecksError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        place = f"{path}, line {number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise ChecksError(f"{place}: not JSON: {error}") from error
        yield place, value


def texts_of(value: dict[str, Any], name: str, place: str) -> list[str]:
    """Return the texts under `name`, none where it is missing.

    Raises:
        ChecksError: there is something else than a list of texts, or a blank one.
    """
    texts = value.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ChecksError(f"{place}: {name} must be a list of texts")
    return texts
