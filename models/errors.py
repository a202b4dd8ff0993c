"""What can go wrong with a model or a bundle."""

from counterpoint import CounterpointError

__all__ = [
    "AlteredFileError",
    "BundleError",
    "BundleNotFoundError",
    "LibraryVersionError",
    "ManifestError",
    "MissingExtraError",
    "MissingFileError",
    "ModelError",
    "SignatureError",
    "SigningKeyError",
    "UnknownFileError",
    "UnsafePathError",
]


class ModelError(CounterpointError):
    """Base of everything that goes wrong in this room."""


class MissingExtraError(ModelError):
    """A library that this needs comes with an extra of the package, which is not installed."""


class SigningKeyError(ModelError):
    """A key that should sign or be trusted is none."""


class BundleError(ModelError):
    """A bundle on disk cannot be trusted or used."""


class BundleNotFoundError(BundleError):
    """There is no bundle in that folder."""


class ManifestError(BundleError):
    """`manifest.json` is not JSON, or lacks or misuses a field."""


class UnsafePathError(BundleError):
    """The manifest names a path outside its folder, or the folder holds a link."""


class MissingFileError(BundleError):
    """A file that the manifest lists is not there."""


class UnknownFileError(BundleError):
    """The folder holds a file that the manifest does not list."""


class AlteredFileError(BundleError):
    """A file's digest differs from the manifest's."""


class LibraryVersionError(BundleError):
    """The bundle was made with a version of a library that cannot read it here."""


class SignatureError(BundleError):
    """Signatures are asked for, and the bundle has none, or none by a trusted key."""
