"""`manifest.json`: what a bundle holds, what it was made from and with, and how good it is."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from models.errors import BundleNotFoundError, ManifestError

__all__ = ["MANIFEST", "Manifest"]

MANIFEST = "manifest.json"
_FORMAT = 1
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of `manifest.json`.

    Attributes:
        version: the bundle's version, also its folder's name, such as "2026.11.0".
        created: when it was made, ISO 8601 in UTC.
        files: name → sha256 in hexadecimal, of every file but the manifest.
        libraries: name → version of each library whose objects the files hold.
        languages: languages that the models were trained on, BCP 47.
        training_data: one entry a dataset: name, licence, rows and the digests of its files.
        recipe: seed, splits and hyper-parameters that the training command used.
        metrics: held-out figures by model; each names its split and size.
        format: version of this layout.
    """

    version: str
    created: str
    files: dict[str, str]
    libraries: dict[str, str]
    languages: list[str] = field(default_factory=lambda: ["en"])
    training_data: list[dict[str, Any]] = field(default_factory=list)
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    format: int = _FORMAT

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of the bundle in `folder`.

        Raises:
            BundleNotFoundError: there is none.
            ManifestError: it is not valid.
        """
        return cls.parse(cls.read_bytes(folder), folder / MANIFEST)

    @staticmethod
    def read_bytes(folder: Path) -> bytes:
        """Return the bytes of the manifest in `folder`, which are what is signed.

        Raises:
            BundleNotFoundError: there is none.
            ManifestError: it cannot be read.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise BundleNotFoundError(f"no bundle in {folder}: {MANIFEST} is missing")
        try:
            return path.read_bytes()
        except OSError as error:
            raise ManifestError(f"{path} cannot be read: {error}") from error

    @classmethod
    def parse(cls, content: bytes, path: Path | str = MANIFEST) -> Self:
        """Read a manifest from its bytes; `path` is named in errors.

        Raises:
            ManifestError: it is not valid.
        """
        try:
            found = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"{path} is not valid JSON: {error}") from error
        return cls.from_dict(found, path)

    @classmethod
    def from_dict(cls, found: Any, path: Path | str = MANIFEST) -> Self:
        """Check `found` and return it as a manifest; `path` is named in errors."""
        if not isinstance(found, dict):
            raise ManifestError(f"{path} must hold an object")
        if found.get("format") != _FORMAT:
            raise ManifestError(f"{path}: format must be {_FORMAT}, got {found.get('format')!r}")
        kinds: dict[str, type] = {
            "version": str,
            "created": str,
            "files": dict,
            "libraries": dict,
            "languages": list,
            "training_data": list,
            "recipe": dict,
            "metrics": dict,
            "format": int,
        }
        unknown = set(found) - {known.name for known in fields(cls)}
        if unknown:
            raise ManifestError(f"{path}: unknown field {min(unknown)!r}")
        for name, kind in kinds.items():
            if not isinstance(found.get(name), kind):
                raise ManifestError(f"{path}: {name} must be a {kind.__name__}")
        for name, digest in found["files"].items():
            if not isinstance(digest, str) or len(digest) != 64 or not set(digest) <= _HEX:
                raise ManifestError(f"{path}: files[{name!r}] must be a sha256 in lower-case hexadecimal")
        return cls(**found)

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as plain JSON values."""
        return asdict(self)

    def to_json(self) -> str:
        """Return the text of `manifest.json`."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
