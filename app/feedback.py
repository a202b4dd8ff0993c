"""What people say a comment's scores should have been."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Feedback", "FeedbackSink", "SpanFeedback"]


@dataclass(frozen=True, slots=True)
class SpanFeedback:
    """A score for a part of a comment: UTF-16 code units `begin` to `end` (exclusive)."""

    attribute: str
    begin: int
    end: int
    score: float


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Feedback:
    """One opinion on one comment. Scores are in [0, 1]; 0 and 1 are a plain no and yes."""

    source: str
    """Who says so, as the caller names it, for example "moderator:17"; "perspective" over that protocol."""
    text: str
    scores: Mapping[str, float] = field(default_factory=dict)
    """Attribute → score of the whole comment."""
    stance: str | None = None
    """Towards `premise`: agree, disagree or neutral."""
    premise: str | None = None
    spans: Sequence[SpanFeedback] = ()
    languages: Sequence[str] = ()
    context: Sequence[str] = ()
    """Texts of article and parent comment, or whatever the caller tells of its place."""
    role: str | None = None
    """Either "moderator" or "reader", where it is known."""
    comment_id: str | None = None
    article_id: str | None = None
    article_url: str | None = None
    community_id: str | None = None
    client_token: str | None = None
    """The caller's name for the comment; a later opinion of the same source, community and name
    replaces this one."""
    session_id: str | None = None
    key_id: str | None = None
    """Id of the API key with which it came; None where none was needed."""
    received: datetime = field(default_factory=_now)


class FeedbackSink(Protocol):
    """Keeps feedback. Its methods block and are safe for use by several threads."""

    def add(self, feedback: Feedback) -> None:
        """Keep an opinion; once this returns, it is not lost.

        Raises:
            StoreError: it could not be kept.
        """

    def latest(self) -> list[Feedback]:
        """Return what counts: of the same source, community and client token only the newest.

        Raises:
            StoreError: it could not be read.
        """
