"""Scored comments, feedback, and the answers to requests with an Idempotency-Key."""

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "comments",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(256)),
        sa.Column("article_id", sa.String(256)),
        sa.Column("article_url", sa.String(2048)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("premise", sa.Text),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("civility", sa.JSON),
        sa.Column("toxicity", sa.Float),
        sa.Column("stance", sa.String(16)),
        sa.Column("stance_probabilities", sa.JSON),
        sa.Column("relevance", sa.Float),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("scored", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_comments_article_id", "comments", ["article_id"])
    op.create_index("ix_comments_article_url", "comments", ["article_url"], postgresql_using="hash")
    op.create_index("ix_comments_id", "comments", ["id"])
    op.create_index("ix_comments_digest", "comments", ["digest"])
    op.create_index("ix_comments_scored", "comments", ["scored"])
    op.create_table(
        "feedback",
        sa.Column("uid", sa.String(64), primary_key=True),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("role", sa.String(16)),
        sa.Column("community", sa.Text),
        sa.Column("client_token", sa.Text),
        sa.Column("token_key", sa.String(64)),
        sa.Column("session", sa.Text),
        sa.Column("comment_id", sa.String(256)),
        sa.Column("article_id", sa.String(256)),
        sa.Column("article_url", sa.String(2048)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("premise", sa.Text),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("stance", sa.String(16)),
        sa.Column("spans", sa.JSON, nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
    )
    op.create_index("ix_feedback_received", "feedback", ["received", "uid"])
    op.create_index("ix_feedback_token_key", "feedback", ["token_key"])
    op.create_index("ix_feedback_digest", "feedback", ["digest"])
    op.create_table(
        "answered_requests",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_answered_requests_created", "answered_requests", ["created"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("answered_requests", "feedback", "comments"):
        op.drop_table(table)
