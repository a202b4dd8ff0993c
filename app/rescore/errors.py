"""What can keep an archive from being rescored."""

from app.errors import AppError

__all__ = ["ArchiveError", "OutputError", "PartError", "RescoreError", "RunError"]


class RescoreError(AppError):
    """Base of everything that stops a run. What was finished stays; the same command goes on."""


class ArchiveError(RescoreError):
    """The input cannot be read, or nothing is recognised in it."""


class RunError(RescoreError):
    """The folder of the run, or what was written before, does not go with the command."""


class OutputError(RescoreError):
    """Something cannot be written: a full disk, no right to write."""


class PartError(RescoreError):
    """A part could not be scored."""
