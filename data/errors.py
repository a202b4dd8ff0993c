"""What can go wrong with datasets: the folder, the catalog, a file's format, a download."""

from pathlib import Path

from counterpoint import CounterpointError

__all__ = [
    "CatalogError",
    "ChecksError",
    "DataDirError",
    "DataError",
    "DownloadError",
    "MalformedFileError",
    "MissingDataError",
    "NoPublicSourceError",
    "NotServedError",
    "SplitError",
    "TruncatedError",
    "UnknownSetError",
    "UnsafePathError",
    "WrongDigestError",
]


class DataError(CounterpointError):
    """Base of everything that goes wrong in this room."""


class DataDirError(DataError):
    """`COUNTERPOINT_DATA_DIR` is not set, or names no folder."""


class CatalogError(DataError):
    """`catalog.toml` lacks or misuses a field."""


class ChecksError(DataError):
    """A file of sentences written for this project lacks or misuses a field."""


class UnsafePathError(CatalogError):
    """A catalog names a file outside the data folder."""


class UnknownSetError(DataError):
    """No dataset of that name stands in the catalog."""


class MissingDataError(DataError):
    """A file that a reader needs is not in the data folder."""


class MalformedFileError(DataError):
    """A dataset's file does not have the format it should have."""

    def __init__(self, path: Path, place: str, reason: str) -> None:
        super().__init__(f"{path.parent.name}/{path.name}, {place}: {reason}")
        self.path = path
        self.place = place


class SplitError(DataError):
    """`splits.toml` lacks or misuses a field."""


class DownloadError(DataError):
    """A file could not be fetched; nothing stands under its final name."""


class NoPublicSourceError(DownloadError):
    """The catalog knows no public address that serves these very bytes."""


class NotServedError(DownloadError):
    """The server does not have the file (404 or 410)."""


class TruncatedError(DownloadError):
    """The server closed the connection before the file was whole, once too often."""


class WrongDigestError(DownloadError):
    """What came is not the file that the catalog describes."""
