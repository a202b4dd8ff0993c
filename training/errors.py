"""What can go wrong while a bundle is built or judged."""

from counterpoint import CounterpointError

__all__ = ["MissingExtraError", "TrainingError"]


class TrainingError(CounterpointError):
    """Base of everything that goes wrong in this room."""


class MissingExtraError(TrainingError, ImportError):
    """A library of an optional extra is not installed."""
