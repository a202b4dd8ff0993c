"""Reading threads: an article and its comments, from saved pages, text and JSON."""

from app.threads.errors import (
    NoCommentsError,
    ThreadEncodingError,
    ThreadError,
    ThreadFieldError,
    ThreadFormatError,
    ThreadJsonError,
    ThreadReadError,
    ThreadTooLargeError,
)
from app.threads.read import parse_thread, read_thread
from app.threads.thread import Thread, ThreadComment, ThreadKind

__all__ = [
    "NoCommentsError",
    "Thread",
    "ThreadComment",
    "ThreadEncodingError",
    "ThreadError",
    "ThreadFieldError",
    "ThreadFormatError",
    "ThreadJsonError",
    "ThreadKind",
    "ThreadReadError",
    "ThreadTooLargeError",
    "parse_thread",
    "read_thread",
]
