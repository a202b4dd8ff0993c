"""Debates and threads written for this project, from which the stance model learns.

`data/checks/training/stance/` holds them as JSON lines: debates (a premise, its opposite, other wordings of
both in `premises` and `opposites`, comments by stance) and threads (comments that answer each other). In
debates of files named `plain_…` the side follows from premise and comment together, for whoever knows the
matter; in the others it must often be inferred. What is under `direct` says straight out what the writer
thinks of the matter, and why. The functional checks in `data/checks/stance/` were written by others who did
not see them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ChecksError
from data.rows import StanceRow, mirrored_label, motion_group
from data.written_lines import SIDES, json_values, texts_of

__all__ = [
    "DIRECT_SOURCE",
    "PLAIN_SOURCE",
    "WRITTEN_SOURCE",
    "WrittenComment",
    "WrittenThread",
    "load_threads",
    "written_files",
    "written_rows",
]

WRITTEN_SOURCE = "written-comments"
PLAIN_SOURCE = "plain-comments"
DIRECT_SOURCE = "direct-comments"
_FOLDER = Path(__file__).parent / "checks" / "training" / "stance"
_THREADS = "threads.jsonl"
_PLAIN = "plain_"


@dataclass(frozen=True, slots=True)
class WrittenComment:
    """A comment of a thread: its stance to the premise and, where it is a reply, to its parent.

    `parent` is the parent's place in the thread; `reply` is None without one.
    """

    text: str
    stance: str
    parent: int | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenThread:
    """A premise, its opposite, and comments in order."""

    premise: str
    opposite: str
    comments: tuple[WrittenComment, ...]


def written_files(folder: Path = _FOLDER) -> list[Path]:
    """Return the files of debates and threads, by name."""
    return sorted(folder.glob("*.jsonl"))


def written_rows(folder: Path = _FOLDER) -> list[StanceRow]:
    """Return every comment of the debates, towards the premise and towards its opposite.

    A debate's comments take its wordings in turn: the side must follow from what a premise says, and not from
    words that it happens to have. The group is the premise's, so that all of a debate falls together.

    Raises:
        ChecksError: a line is not JSON, or lacks or misuses a field.
    """
    rows = []
    for path, place, debate in _lines([path for path in written_files(folder) if path.name != _THREADS]):
        source = PLAIN_SOURCE if path.name.startswith(_PLAIN) else WRITTEN_SOURCE
        premises, opposites = (_wordings(debate, name, place) for name in ("premise", "opposite"))
        group = motion_group(premises[0])
        said = [(source, side, text) for side in SIDES for text in _texts(debate, side, place)]
        direct = debate.get("direct", {})
        if not isinstance(direct, dict):
            raise ChecksError(f"{place}: direct must be an object")
        said += [(DIRECT_SOURCE, side, text) for side in direct for text in _texts(direct, side, place)]
        for turn, (source, side, text) in enumerate(said):
            premise, opposite = premises[turn % len(premises)], opposites[turn % len(opposites)]
            rows.append(StanceRow(premise, text, side, source, group))
            rows.append(StanceRow(opposite, text, mirrored_label(side), source, group))
    return rows


def load_threads(path: Path = _FOLDER / _THREADS) -> list[WrittenThread]:
    """Return the threads.

    Raises:
        ChecksError: a line is not JSON, or lacks or misuses a field.
    """
    return [
        WrittenThread(
            _string(thread, "premise", place),
            _string(thread, "opposite", place),
            tuple(_comment(found, number, place) for number, found in enumerate(thread.get("comments", []))),
        )
        for _, place, thread in _lines([path])
    ]


def _comment(found: dict[str, Any], number: int, place: str) -> WrittenComment:
    parent, reply = found.get("parent"), found.get("reply")
    is_reply = isinstance(parent, int) and 0 <= parent < number and reply in SIDES
    if found.get("stance") not in SIDES or not (is_reply or (parent is None and reply is None)):
        raise ChecksError(f"{place}: comment {number} has no known stance, or no earlier parent")
    return WrittenComment(_string(found, "text", place), found["stance"], parent, reply)


def _lines(paths: list[Path]) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for path in paths:
        for place, value in json_values(path):
            if not isinstance(value, dict):
                raise ChecksError(f"{place}: not an object")
            yield path, place, value


def _texts(by_side: dict[str, Any], side: str, place: str) -> list[str]:
    texts = by_side.get(side)
    if side not in SIDES or not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ChecksError(f"{place}: {side} must be a list of strings")
    return texts


def _wordings(debate: dict[str, Any], name: str, place: str) -> list[str]:
    return [_string(debate, name, place), *texts_of(debate, f"{name}s", place)]


def _string(value: dict[str, Any], name: str, place: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found.strip():
        raise ChecksError(f"{place}: {name} must be a text")
    return found
