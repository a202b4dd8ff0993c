"""Feedback joined with what was scored: the read API for retraining and adaptation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from app.feedback import Feedback
from app.store.articles import ArticleStore
from app.store.comments import CommentStore, ScoredComments, StoredComment
from app.store.feedback import FeedbackStore, KeptFeedback

__all__ = ["JudgedComment", "JudgedReader"]

_PORTION = 500


@dataclass(frozen=True, slots=True)
class JudgedComment:
    """One opinion that counts, with the comment it is about."""

    uid: str
    """Names the opinion, for good."""
    digest: str
    """SHA-256 of the comment's text: opinions on the same text have the same."""
    text: str | None
    """None where only a digest is left."""
    premise: str | None
    """What a stance is towards: as it came with the opinion, else as scored, else as registered now (of
    several claims the first)."""
    scored: StoredComment | None
    """The comment as it was last scored, where it was stored; its `model` names the bundle."""
    feedback: Feedback
    """Labels, stance, source, role, community, client token and time."""


class JudgedReader:
    """Reads feedback with texts, premises and scores. All methods block."""

    def __init__(self, feedback: FeedbackStore, comments: CommentStore, articles: ArticleStore) -> None:
        self._feedback, self._comments, self._articles = feedback, comments, articles

    def iterate(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        community: str | None = None,
        every: bool = False,
    ) -> Iterator[JudgedComment]:
        """Yield opinions with their comments, oldest first, never holding more than a few hundred.

        Args:
            since: the first moment that counts.
            until: the first moment that does not.
            community: only opinions from there.
            every: whether opinions that newer ones replace come too.

        Raises:
            StoreError: the database fails.
        """
        kept = self._feedback.iterate(since=since, until=until, community=community, every=every)
        for portion in _portions(kept):
            yield from self._joined(portion)

    def _joined(self, kept: Sequence[KeptFeedback]) -> Iterator[JudgedComment]:
        said = [item.feedback for item in kept]
        ids = {one.comment_id for one in said if one.comment_id is not None}
        scored = ScoredComments(self._comments.find(ids, {item.digest for item in kept}))
        by_id, by_url = self._articles.premises(
            {one.article_id for one in said if one.article_id is not None},
            {one.article_url for one in said if one.article_url is not None},
        )
        for item in kept:
            one = item.feedback
            found = scored.of(one.comment_id, one.article_id, item.digest)
            registered = by_id.get(one.article_id or "") or by_url.get(one.article_url or "")
            first = registered[0] if isinstance(registered, list) else registered
            yield JudgedComment(
                uid=item.uid,
                digest=item.digest,
                text=one.text or (found.text if found else None),
                premise=one.premise or (found.premise if found else None) or first,
                scored=found,
                feedback=one,
            )


def _portions(kept: Iterator[KeptFeedback]) -> Iterator[Sequence[KeptFeedback]]:
    while portion := list(islice(kept, _PORTION)):
        yield portion
