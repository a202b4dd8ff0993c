"""What can be wrong with a file that should hold a thread."""

from app.errors import AppError

__all__ = [
    "NoCommentsError",
    "ThreadEncodingError",
    "ThreadError",
    "ThreadFieldError",
    "ThreadFormatError",
    "ThreadJsonError",
    "ThreadReadError",
    "ThreadTooLargeError",
]


class ThreadError(AppError):
    """Base of everything that keeps a thread from being read."""


class ThreadReadError(ThreadError):
    """The operating system does not give the file."""


class ThreadTooLargeError(ThreadError):
    """More bytes or comments than the limit."""


class ThreadEncodingError(ThreadError):
    """The bytes are not text in any encoding that they could be in."""


class ThreadFormatError(ThreadError):
    """Not one of the known formats."""


class NoCommentsError(ThreadError):
    """A page without a comment."""


class ThreadJsonError(ThreadError):
    """Broken JSON; `line` is where, the first being 1, None where it is unknown."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class ThreadFieldError(ThreadError):
    """A field of the JSON holds the wrong thing; `field` is its path, for example `comments[3].text`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
