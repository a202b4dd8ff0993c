"""With which key feedback came, and an index by which an article's feedback is found."""

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column, empty in the rows that are there, and the index."""
    op.add_column("feedback", sa.Column("key_id", sa.String(16)))
    op.create_index("ix_feedback_article_id", "feedback", ["article_id"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_feedback_article_id", table_name="feedback")
    op.drop_column("feedback", "key_id")
