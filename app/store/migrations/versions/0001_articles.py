"""Registered premises. Databases from before there were migrations have the table already."""

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table, unless it is there."""
    if sa.inspect(op.get_bind()).has_table("articles"):
        op.drop_index("ix_articles_url", table_name="articles", if_exists=True)
    else:
        op.create_table(
            "articles",
            sa.Column("id", sa.String(256), primary_key=True),
            sa.Column("premise", sa.Text, nullable=False),
            sa.Column("url", sa.String(2048)),
            sa.Column("title", sa.Text),
            sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        )
    op.create_index("ix_articles_url", "articles", ["url"], postgresql_using="hash")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("articles")
