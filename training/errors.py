"""What can go wrong while a bundle is built or judged."""

from counterpoint import CounterpointError

__all__ = ["LeftOutError", "MissingExtraError", "ReportError", "TrainingError"]


class TrainingError(CounterpointError):
    """Base of everything that goes wrong in this room."""


class MissingExtraError(TrainingError, ImportError):
    """A library of an optional extra is not installed."""


class ReportError(TrainingError):
    """A report cannot be written: its folder is in use, or nothing can be measured."""


class LeftOutError(TrainingError):
    """A section of a report is left out, because what it needs is not here."""
