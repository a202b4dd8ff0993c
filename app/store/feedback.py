"""Feedback: kept once and for all, and read again as retraining needs it.

Every method blocks and is safe for use by several threads; the service calls them in worker threads.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, tuple_
from sqlalchemy.orm import aliased

from app.errors import ReusedKeyError
from app.feedback import Feedback, SpanFeedback
from app.schemas import FeedbackReceipt
from app.store.database import Database
from app.store.naming import digest_of, key_of, storable
from app.store.periods import between
from app.store.tables import AnsweredRequest, FeedbackRow

__all__ = ["FeedbackStore", "KeptFeedback", "RepeatableRequest", "newest_only", "token_key"]

_PORTION = 500
_COLUMNS = [column for column in FeedbackRow.__table__.columns if column.name != "token_key"]
_ONE_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RepeatableRequest:
    """A request that may come again and shall then change nothing."""

    key: str
    """Its Idempotency-Key."""
    fingerprint: str
    """Digest of its body."""


@dataclass(frozen=True, slots=True)
class KeptFeedback:
    """An opinion as it was kept; `feedback` has its labels, source, community and time."""

    uid: str
    digest: str
    """SHA-256 of the comment's text."""
    feedback: Feedback


class FeedbackStore:
    """Feedback in the order of its coming. It is a `FeedbackSink`.

    Every method raises `StoreDownError` where the database cannot be reached or takes too long, and
    `StoreError` where it refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, feedback: Feedback) -> None:
        """Keep an opinion; once this returns, it is not lost."""
        self.keep([feedback])

    def keep(
        self, given: Sequence[Feedback], request: RepeatableRequest | None = None
    ) -> tuple[FeedbackReceipt, bool]:
        """Keep opinions, all or none; return the receipt, and whether an earlier request had kept them.

        Args:
            given: opinions; of two with the same time the later in the list counts as the newer.
            request: if the same one has kept opinions already, nothing is kept and its receipt returned.

        Raises:
            ReusedKeyError: another request had the same key.
        """
        rows = [_feedback_row(item, uuid.uuid4().hex, place) for place, item in enumerate(given)]
        receipt = FeedbackReceipt(
            ids=[row["uid"] for row in rows], received=datetime.now(UTC).isoformat(timespec="milliseconds")
        )
        with self._database.begin(write=True) as connection:
            earlier = None if request is None else self._earlier(connection, request, receipt)
            if earlier is not None:
                return earlier, True
            connection.execute(self._database.insert(FeedbackRow), rows)
        return receipt, False

    def latest(self) -> list[Feedback]:
        """Return what counts, oldest first: of the same source, community and token only the newest."""
        return [kept.feedback for kept in self.iterate()]

    def iterate(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        community: str | None = None,
        every: bool = False,
    ) -> Iterator[KeptFeedback]:
        """Yield opinions, oldest first, never holding more than a few hundred.

        Args:
            since: the first moment that counts.
            until: the first moment that does not.
            community: only opinions from there.
            every: whether opinions that newer ones replace come too.
        """
        wanted = between(FeedbackRow.received, since, until)
        if not every:
            wanted.append(newest_only())
        if community is not None:
            wanted.append(FeedbackRow.community == community)
        order = FeedbackRow.received, FeedbackRow.uid
        query = select(*_COLUMNS).where(*wanted).order_by(*order).limit(_PORTION)
        after: list[ColumnElement[bool]] = []
        while True:
            with self._database.begin() as connection:
                rows = connection.execute(query.where(*after)).all()
            yield from (_kept(row._asdict()) for row in rows)
            if len(rows) < _PORTION:
                return
            after = [tuple_(*order) > tuple_(rows[-1].received, rows[-1].uid)]

    def _earlier(
        self, connection: Connection, request: RepeatableRequest, receipt: FeedbackReceipt
    ) -> FeedbackReceipt | None:
        key = key_of(request.key)
        claim = self._database.insert(AnsweredRequest).values(
            key=key,
            fingerprint=request.fingerprint,
            answer=receipt.model_dump_json(),
            created=datetime.now(UTC),
        )
        # Where the same request is being answered elsewhere at this moment, this waits for its end.
        claim = claim.on_conflict_do_nothing(index_elements=["key"]).returning(AnsweredRequest.key)
        if connection.scalar(claim) is not None:
            return None
        found = connection.execute(
            select(AnsweredRequest.fingerprint, AnsweredRequest.answer).where(AnsweredRequest.key == key)
        ).one()
        if found.fingerprint != request.fingerprint:
            raise ReusedKeyError("This Idempotency-Key came before, with another body.")
        return FeedbackReceipt.model_validate_json(found.answer)


def _feedback_row(feedback: Feedback, uid: str, place: int = 0) -> dict[str, Any]:
    """Return an opinion as a row; each further `place` of a list is a microsecond newer."""
    row: dict[str, Any] = {
        "uid": uid,
        "received": feedback.received + place * _ONE_MICROSECOND,
        "source": feedback.source,
        "role": feedback.role,
        "community": feedback.community_id,
        "client_token": feedback.client_token,
        "session": feedback.session_id,
        "key_id": feedback.key_id,
        "comment_id": feedback.comment_id,
        "article_id": feedback.article_id,
        "article_url": feedback.article_url,
        "digest": digest_of(feedback.text),
        "text": feedback.text,
        "premise": feedback.premise,
        "languages": list(feedback.languages),
        "labels": dict(feedback.scores),
        "stance": feedback.stance,
        "spans": [asdict(span) for span in feedback.spans],
        "context": list(feedback.context),
    }
    row["token_key"] = token_key(row)
    return {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}


def token_key(row: dict[str, Any]) -> str | None:
    """Return the key under which newer opinions replace a row, or None where none does."""
    if row["client_token"] is None:
        return None
    return key_of(row["source"], row["community"], row["client_token"])


def newest_only() -> ColumnElement[bool]:
    """Return the condition that no newer opinion replaces a row."""
    newer = aliased(FeedbackRow)
    later = or_(
        newer.received > FeedbackRow.received,
        and_(newer.received == FeedbackRow.received, newer.uid > FeedbackRow.uid),
    )
    return ~exists().where(newer.token_key == FeedbackRow.token_key, later)


def _kept(row: dict[str, Any]) -> KeptFeedback:
    return KeptFeedback(
        uid=row["uid"],
        digest=row["digest"],
        feedback=Feedback(
            source=row["source"],
            text=row["text"] or "",
            scores=row["labels"],
            stance=row["stance"],
            premise=row["premise"],
            spans=[SpanFeedback(**span) for span in row["spans"]],
            languages=row["languages"],
            context=row["context"],
            role=row["role"],
            comment_id=row["comment_id"],
            article_id=row["article_id"],
            article_url=row["article_url"],
            community_id=row["community"],
            client_token=row["client_token"],
            session_id=row["session"],
            key_id=row["key_id"],
            received=row["received"],
        ),
    )
