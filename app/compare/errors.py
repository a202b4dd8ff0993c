"""What can go wrong with a comparison as a whole."""

from app.errors import AppError

__all__ = ["CompareError"]


class CompareError(AppError):
    """The texts cannot be read, a URL is wrong, or there is nothing to compare."""
