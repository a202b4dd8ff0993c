"""What the service remembers: articles, scored comments, feedback, in SQLite or PostgreSQL."""

from app.store.judged import JudgedComment
from app.store.store import Store

__all__ = ["JudgedComment", "Store"]
