"""What people say a comment's scores should have been, and where it is kept."""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from app.errors import StoreDownError

__all__ = ["Feedback", "FeedbackFile", "FeedbackSink", "SpanFeedback"]


@dataclass(frozen=True, slots=True)
class SpanFeedback:
    """A score for a part of a comment: UTF-16 code units `begin` to `end` (exclusive)."""

    attribute: str
    begin: int
    end: int
    score: float


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Feedback:
    """One opinion on one comment. Scores are in [0, 1]; 0 and 1 are a plain no and yes."""

    source: str
    """Over which protocol it came, for example "perspective"."""
    text: str
    scores: Mapping[str, float] = field(default_factory=dict)
    """Attribute → score of the whole comment."""
    spans: Sequence[SpanFeedback] = ()
    languages: Sequence[str] = ()
    context: Sequence[str] = ()
    """Texts of article and parent comment, or whatever the caller tells of its place."""
    community_id: str | None = None
    client_token: str | None = None
    """The caller's name for the comment; a later opinion of the same name replaces this one."""
    session_id: str | None = None
    received: str = field(default_factory=_now)
    """ISO 8601 time."""


class FeedbackSink(Protocol):
    """Keeps feedback. Its methods block and are safe for use by several threads."""

    def add(self, feedback: Feedback) -> None:
        """Keep an opinion; once this returns, it is not lost.

        Raises:
            StoreError: it could not be kept.
        """

    def latest(self) -> list[Feedback]:
        """Return what counts: of the same community and client token only the newest.

        Raises:
            StoreError: it could not be read.
        """


class FeedbackFile:
    """Feedback in one JSON Lines file, which only ever grows. Made at the first opinion.

    Args:
        path: the file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._clean = False  # whether the file is known to end with a whole line

    def add(self, feedback: Feedback) -> None:
        """Append an opinion and wait until the disk has it.

        Raises:
            StoreDownError: the disk refuses.
        """
        line = json.dumps(asdict(feedback)).encode() + b"\n"
        with self._lock:
            try:
                self._append(line if self._clean else b"\n" + line)
            except OSError as error:
                self._clean = False
                raise StoreDownError(f"the feedback file does not take more: {error.strerror}") from None
            self._clean = True

    def latest(self) -> list[Feedback]:
        """Return what counts, oldest first; lines cut short by a crash, never acknowledged, are skipped.

        Raises:
            StoreDownError: the file cannot be read.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreDownError(f"the feedback file cannot be read: {error.strerror}") from None
        counting: dict[object, Feedback] = {}
        for number, feedback in enumerate(_read(content)):
            named = feedback.client_token is not None
            key = (feedback.source, feedback.community_id, feedback.client_token) if named else number
            counting.pop(key, None)
            counting[key] = feedback
        return list(counting.values())

    def _append(self, content: bytes) -> None:
        is_new = not self._path.exists()
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while content:
                content = content[os.write(file, content) :]
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            _sync_folder(self._path.parent)


def _read(content: bytes) -> Iterator[Feedback]:
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
            value["spans"] = [SpanFeedback(**span) for span in value["spans"]]
            yield Feedback(**value)
        except (ValueError, TypeError, KeyError):
            continue


def _sync_folder(folder: Path) -> None:
    if hasattr(os, "O_DIRECTORY"):  # a new file's name is on the disk only once its folder is
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
