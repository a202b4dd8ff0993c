"""All that is stored, behind one object."""

from app.store.articles import ArticleStore
from app.store.comments import CommentStore
from app.store.database import Database
from app.store.feedback import FeedbackStore
from app.store.judged import JudgedReader
from app.store.keys import KeyStore
from app.store.stances import StanceReader

__all__ = ["Store"]


class Store:
    """The tables of one database.

    Args:
        url: SQLAlchemy URL of a SQLite or PostgreSQL database.
        timeout_s: longest wait for it, in seconds.

    Raises:
        SettingsError: the URL names no database that is supported here.
    """

    def __init__(self, url: str, *, timeout_s: float = 2.0) -> None:
        self.database = Database(url, timeout_s=timeout_s)
        self.articles = ArticleStore(self.database)
        self.comments = CommentStore(self.database)
        self.feedback = FeedbackStore(self.database)
        self.keys = KeyStore(self.database)
        self.judged = JudgedReader(self.feedback, self.comments, self.articles)
        self.stances = StanceReader(self.database)

    def check(self) -> None:
        """Reach the database.

        Raises:
            StoreDownError: it cannot be reached, or takes too long.
            StoreError: it refuses.
        """
        self.database.check()

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
