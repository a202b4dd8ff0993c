"""Lists of claims registered for articles; `premise` holds the first of them."""

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("articles", sa.Column("claims", sa.JSON))


def downgrade() -> None:
    """Drop the column; of each list the first claim stays."""
    op.drop_column("articles", "claims")
