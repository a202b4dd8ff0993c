"""The tables. A change here needs a migration: `alembic revision --autogenerate -m "what changes"`."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Float, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = ["AnsweredRequest", "ApiKey", "Article", "Base", "Comment", "FeedbackRow"]


class _UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no time zones, gives it back in UTC too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables."""


class Article(Base):
    """A registered premise."""

    __tablename__ = "articles"
    # A hash, since PostgreSQL's ordinary index takes no URL of more than 2,704 bytes.
    __table_args__ = (Index("ix_articles_url", "url", postgresql_using="hash"),)

    id: Mapped[str] = mapped_column(String(256), primary_key=True)
    premise: Mapped[str] = mapped_column(Text)
    claims: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Where a list of claims is registered, all of them; the first is `premise`."""
    url: Mapped[str | None] = mapped_column(String(2048))
    title: Mapped[str | None] = mapped_column(Text)
    updated: Mapped[datetime] = mapped_column(_UtcTime)


class Comment(Base):
    """A scored comment that its caller allowed to be stored, as it was last scored."""

    __tablename__ = "comments"
    __table_args__ = (
        Index("ix_comments_article_id", "article_id"),
        Index("ix_comments_article_url", "article_url", postgresql_using="hash"),
        Index("ix_comments_id", "id"),
        Index("ix_comments_digest", "digest"),
        Index("ix_comments_scored", "scored"),
    )

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Names the comment by its article and id, or its article and text: see `app.store.naming`."""
    id: Mapped[str | None] = mapped_column(String(256))
    article_id: Mapped[str | None] = mapped_column(String(256))
    article_url: Mapped[str | None] = mapped_column(String(2048))
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(35))
    premise: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String(64))
    civility: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    toxicity: Mapped[float | None] = mapped_column(Float)
    stance: Mapped[str | None] = mapped_column(String(16))
    stance_probabilities: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    relevance: Mapped[float | None] = mapped_column(Float)
    action: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    scored: Mapped[datetime] = mapped_column(_UtcTime)


class FeedbackRow(Base):
    """One opinion on one comment. Rows are only ever added; the newest of a `token_key` counts."""

    __tablename__ = "feedback"
    __table_args__ = (
        Index("ix_feedback_received", "received", "uid"),
        Index("ix_feedback_token_key", "token_key"),
        Index("ix_feedback_digest", "digest"),
        Index("ix_feedback_article_id", "article_id"),
    )

    uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    received: Mapped[datetime] = mapped_column(_UtcTime)
    source: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(String(16))
    community: Mapped[str | None] = mapped_column(Text)
    client_token: Mapped[str | None] = mapped_column(Text)
    token_key: Mapped[str | None] = mapped_column(String(64))
    """Digest of source, community and client token; null without a token."""
    session: Mapped[str | None] = mapped_column(Text)
    key_id: Mapped[str | None] = mapped_column(String(16))
    """Id of the API key with which it came; null where none was needed, and before ids were kept."""
    comment_id: Mapped[str | None] = mapped_column(String(256))
    article_id: Mapped[str | None] = mapped_column(String(256))
    article_url: Mapped[str | None] = mapped_column(String(2048))
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str | None] = mapped_column(Text)
    premise: Mapped[str | None] = mapped_column(Text)
    languages: Mapped[list[str]] = mapped_column(JSON)
    labels: Mapped[dict[str, float]] = mapped_column(JSON)
    stance: Mapped[str | None] = mapped_column(String(16))
    spans: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    context: Mapped[list[str]] = mapped_column(JSON)


class AnsweredRequest(Base):
    """The answer to a request that carried an Idempotency-Key, kept together with what it stored."""

    __tablename__ = "answered_requests"
    __table_args__ = (Index("ix_answered_requests_created", "created"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(_UtcTime)


class ApiKey(Base):
    """An API key, without what would let anybody use it. Revoked ones stay, so that their ids do."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    digest: Mapped[str] = mapped_column(String(64))
    """HMAC-SHA256 of the key: see `app.access.keys`."""
    secret_tag: Mapped[str] = mapped_column(String(16))
    """Tells which server secret `digest` was made with, and nothing of the secret."""
    scopes: Mapped[list[str]] = mapped_column(JSON)
    requests_a_minute: Mapped[int | None] = mapped_column(Integer)
    created: Mapped[datetime] = mapped_column(_UtcTime)
    expires: Mapped[datetime | None] = mapped_column(_UtcTime)
    last_used: Mapped[datetime | None] = mapped_column(_UtcTime)
    revoked: Mapped[datetime | None] = mapped_column(_UtcTime)
