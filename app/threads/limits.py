"""How many comments a thread may have."""

from app.threads.errors import ThreadTooLargeError

__all__ = ["MAX_COMMENTS", "refuse_too_many"]

MAX_COMMENTS = 20_000


def refuse_too_many(comments: int) -> None:
    """Raise ThreadTooLargeError for more than `MAX_COMMENTS` comments."""
    if comments > MAX_COMMENTS:
        raise ThreadTooLargeError(f"the thread has more than {MAX_COMMENTS} comments, the limit")
