"""Scored comments that their callers allowed to be stored, and counts of them.

Every method blocks and is safe for use by several threads; the service calls them in worker threads.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select

from app.store.database import Database
from app.store.naming import comment_key, storable
from app.store.periods import between
from app.store.tables import Comment

__all__ = ["DEFAULT_THRESHOLD", "CommentCount", "CommentStore", "ScoredComments", "StoredComment"]

DEFAULT_THRESHOLD = 0.5
"""From which TOXICITY a comment counts as uncivil, where the bundle states no other."""

_HOURS: dict[str, Any] = {
    "sqlite": lambda moment: func.strftime("%Y-%m-%dT%H", moment),
    "postgresql": lambda moment: func.to_char(func.timezone("UTC", moment), 'YYYY-MM-DD"T"HH24'),
}
_FORMAT = "%Y-%m-%dT%H"


@dataclass(frozen=True, slots=True)
class StoredComment:
    """A scored comment. Scores are probabilities in [0, 1]."""

    digest: str
    """SHA-256 of the comment's text."""
    language: str
    model: str
    """Version of the bundle that scored."""
    action: str
    reasons: list[dict[str, Any]] = field(default_factory=list)
    id: str | None = None
    article_id: str | None = None
    article_url: str | None = None
    text: str | None = None
    """None where only the digest may be kept."""
    premise: str | None = None
    civility: dict[str, float] | None = None
    """Attribute → score; None where the language has no model."""
    stance: str | None = None
    """Label, "uncertain" among them; None without a premise."""
    stance_probabilities: dict[str, float] | None = None
    relevance: float | None = None
    scored: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class CommentCount:
    """How many comments of an article are alike: scored in the same hour by the same model, the same way."""

    model: str
    hour: datetime
    """Begin of the hour, UTC."""
    stance: str | None
    uncivil: bool | None
    """Whether TOXICITY reaches the threshold; None without civility scores."""
    count: int


class CommentStore:
    """Comments by article.

    Every method raises `StoreDownError` where the database cannot be reached or takes too long, and
    `StoreError` where it refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, comments: Iterable[StoredComment]) -> None:
        """Keep comments, all or none. One that is scored again replaces what was kept of it before."""
        rows = [_row(comment) for comment in comments]
        rows.sort(key=lambda row: (row["key"], row["scored"]))  # in one order, so that no two writers lock
        insert = self._database.insert(Comment)
        changed = {
            column.name: insert.excluded[column.name]
            for column in Comment.__table__.columns
            if column.name != "key"
        }
        newest = insert.on_conflict_do_update(
            index_elements=["key"], set_=changed, where=insert.excluded.scored >= Comment.scored
        )
        with self._database.begin(write=True) as connection:
            if rows:
                connection.execute(newest, rows)

    def find(self, ids: Collection[str], digests: Collection[str] = ()) -> list[StoredComment]:
        """Return the comments with one of these ids or texts, those scored last coming last."""
        known = or_(Comment.id.in_(ids), Comment.digest.in_(digests))
        query = select(*_columns()).where(known).order_by(Comment.scored)
        with self._database.begin() as connection:
            return [StoredComment(**row._asdict()) for row in connection.execute(query)]

    def models_of(self, article_id: str, url: str | None) -> list[str]:
        """Return the versions that scored an article's comments."""
        query = select(Comment.model).where(_of_article(article_id, url)).distinct().order_by(Comment.model)
        with self._database.begin() as connection:
            return list(connection.scalars(query))

    def count(
        self,
        article_id: str,
        url: str | None,
        thresholds: Mapping[str, float],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[CommentCount]:
        """Count an article's comments by model, hour, stance and civility.

        Args:
            article_id: the article.
            url: its URL; comments that came with that and without an id are its own too.
            thresholds: model → from which TOXICITY in [0, 1] a comment counts as uncivil; 0.5 for others.
            since: the first moment that counts.
            until: the first moment that does not.
        """
        wanted = [_of_article(article_id, url), *between(Comment.scored, since, until)]
        query = _counting(self._database.dialect, thresholds, wanted)
        with self._database.begin() as connection:
            return [
                CommentCount(
                    model,
                    datetime.strptime(hour, _FORMAT).replace(tzinfo=UTC),
                    stance,
                    None if uncivil is None else bool(uncivil),
                    count,
                )
                for model, hour, stance, uncivil, count in connection.execute(query)
            ]


class ScoredComments:
    """Stored comments by what a caller may know of one; of several the one that was scored last.

    Args:
        comments: those scored last coming last.
    """

    def __init__(self, comments: Iterable[StoredComment]) -> None:
        self._by_name: dict[tuple[str | None, ...], StoredComment] = {}
        for one in comments:
            self._by_name["id", one.id, one.article_id] = one
            self._by_name["id", one.id] = one
            self._by_name["text", one.digest, one.article_id] = one
            self._by_name["text", one.digest] = one

    def of(
        self, comment_id: str | None, article_id: str | None, digest: str | None = None
    ) -> StoredComment | None:
        """Return the comment of that id or else that text, under the article where one is named."""
        name = ("text", digest) if comment_id is None else ("id", comment_id)
        return self._by_name.get(name if article_id is None else (*name, article_id))


def _row(comment: StoredComment) -> dict[str, Any]:
    row = asdict(comment)
    row["key"] = comment_key(comment.id, comment.digest, comment.article_id, comment.article_url)
    row["toxicity"] = (comment.civility or {}).get("TOXICITY")
    return {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}


def _columns() -> list[Any]:
    return [getattr(Comment, name) for name in StoredComment.__dataclass_fields__]


def _of_article(article_id: str, url: str | None) -> ColumnElement[bool]:
    by_id = Comment.article_id == article_id
    return (
        by_id if url is None else or_(by_id, and_(Comment.article_id.is_(None), Comment.article_url == url))
    )


def _counting(
    dialect: str, thresholds: Mapping[str, float], wanted: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    chosen = [(Comment.model == model, literal(value)) for model, value in thresholds.items()]
    threshold = case(*chosen, else_=DEFAULT_THRESHOLD) if chosen else literal(DEFAULT_THRESHOLD)
    uncivil = case((Comment.toxicity.is_(None), None), (Comment.toxicity >= threshold, 1), else_=0)
    hour = _HOURS[dialect](Comment.scored)
    # Grouped by names from an inner query: PostgreSQL takes one expression twice for two different ones.
    one = select(Comment.model, hour.label("hour"), Comment.stance, uncivil.label("uncivil")).where(*wanted)
    columns = one.subquery().columns
    return select(*columns, func.count()).group_by(*columns).order_by(columns.hour)
