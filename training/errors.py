"""What can go wrong while a bundle is built or judged."""

from counterpoint import CounterpointError

__all__ = [
    "BusyError",
    "FeedbackError",
    "LeftOutError",
    "MissingExtraError",
    "ReportError",
    "RetrainingSettingsError",
    "TrainingError",
]


class TrainingError(CounterpointError):
    """Base of everything that goes wrong in this room."""


class MissingExtraError(TrainingError, ImportError):
    """A library of an optional extra is not installed."""


class ReportError(TrainingError):
    """A report cannot be written: its folder is in use, or nothing can be measured."""


class LeftOutError(TrainingError):
    """A section of a report is left out, because what it needs is not here."""


class RetrainingSettingsError(TrainingError):
    """The settings file of retraining cannot be read, or names or misuses a value."""


class FeedbackError(TrainingError):
    """There is no feedback that anything could be learnt from."""


class BusyError(TrainingError):
    """Another retraining works on the same releases."""
