"""Bundles: both models, serialized with joblib, and a manifest that says exactly which bytes to trust.

joblib files execute code when they are loaded. So nothing is loaded before every file's digest
matches the manifest, and the bytes that were checked are the bytes that are loaded: a file is read
once, into memory, and never opened again.
"""

import datetime
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import joblib

from models.civility import CivilityModel
from models.errors import (
    AlteredFileError,
    BundleError,
    BundleNotFoundError,
    LibraryVersionError,
    ManifestError,
    MissingFileError,
    UnknownFileError,
    UnsafePathError,
)
from models.manifest import MANIFEST, Manifest
from models.signing import SIGNATURE, check_signature
from models.stance import StanceModel

__all__ = [
    "RELEASES",
    "Bundle",
    "check_version",
    "latest_bundle",
    "list_bundles",
    "load_bundle",
    "save_bundle",
    "verify_bundle",
]

RELEASES = Path(__file__).parent / "releases"
"""The folder of the bundles that ship."""

_CIVILITY, _STANCE = "civility.joblib", "stance.joblib"
_MODELS: dict[str, type] = {_CIVILITY: CivilityModel, _STANCE: StanceModel}
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """Two loaded models and their manifest; immutable, so that bundles can be swapped while serving."""

    path: Path
    manifest: Manifest
    civility: CivilityModel
    stance: StanceModel

    @property
    def version(self) -> str:
        """The bundle's version, as in its manifest."""
        return self.manifest.version


def save_bundle(
    folder: Path,
    civility: CivilityModel,
    stance: StanceModel,
    *,
    version: str,
    documents: Mapping[str, str] | None = None,
    **described: Any,
) -> Manifest:
    """Write both models and their manifest to `folder`, which appears whole or not at all.

    Args:
        folder: must not exist yet: a version is never overwritten.
        civility: a fitted model.
        stance: a fitted model.
        version: letters, digits, dots, plus and minus.
        documents: name → text of further files, such as the model card; their digests are listed too.
        described: `languages`, `training_data`, `recipe`, `metrics` of the manifest.

    Raises:
        BundleError: the folder exists, or the version is malformed.
    """
    check_version(version)
    if version != folder.name:
        raise BundleError(f"the folder of version {version} must have its name, not {folder.name!r}")
    if folder.exists():
        raise BundleError(f"{folder} exists: a bundle is never overwritten")
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        joblib.dump(civility, scratch / _CIVILITY, compress=("zlib", 6))
        joblib.dump(stance, scratch / _STANCE, compress=("zlib", 6))
        for name, text in (documents or {}).items():
            (scratch / name).write_text(text, encoding="utf-8")
        manifest = Manifest(
            version=version,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            files={file.name: _digest(file.read_bytes()) for file in sorted(scratch.iterdir())},
            libraries=_library_versions(),
            **described,
        )
        (scratch / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        scratch.chmod(0o755)
        os.rename(scratch, folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return manifest


def check_version(version: str) -> None:
    """Check that a version can name a folder.

    Raises:
        BundleError: it holds other than letters, digits, dots, plus and minus, or more than 64 of them.
    """
    if not _VERSION.fullmatch(version):
        raise BundleError(f"version {version!r} may hold letters, digits, dots, plus and minus only")


def verify_bundle(folder: Path, trusted_keys: Sequence[str] | None = None) -> Manifest:
    """Check everything about a bundle that can be checked without loading it.

    Args:
        folder: the bundle.
        trusted_keys: public keys (`models.signing`), one of which must have signed the manifest; None asks
            for no signature.

    Returns:
        The manifest, every digest of which matches.

    Raises:
        BundleNotFoundError, ManifestError, UnsafePathError, MissingFileError, UnknownFileError,
        AlteredFileError, LibraryVersionError, SignatureError: the first thing found wrong.
    """
    manifest, _ = _read_verified(Path(folder), trusted_keys)
    return manifest


def load_bundle(folder: Path, trusted_keys: Sequence[str] | None = None) -> Bundle:
    """Verify a bundle as `verify_bundle` does, then load it from the verified bytes.

    Raises:
        BundleError: also where a verified file holds something other than the model of its name.
    """
    folder = Path(folder)
    manifest, contents = _read_verified(folder, trusted_keys)
    loaded = {}
    for name, kind in _MODELS.items():
        try:
            loaded[name] = joblib.load(io.BytesIO(contents[name]))
        except Exception as error:
            raise BundleError(f"{folder / name} cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(loaded[name], kind):
            raise BundleError(f"{folder / name} must hold a {kind.__name__}")
    bundle = Bundle(folder, manifest, loaded[_CIVILITY], loaded[_STANCE])
    _try_out(bundle)
    return bundle


def list_bundles(root: Path) -> list[Path]:
    """Return the folders under `root` that hold a manifest, oldest version first."""
    root = Path(root)
    if not root.is_dir():
        return []
    found = [
        entry for entry in root.iterdir() if not entry.name.startswith(".") and (entry / MANIFEST).is_file()
    ]
    return sorted(found, key=lambda entry: _version_order(entry.name))


def latest_bundle(root: Path = RELEASES) -> Path:
    """Return the folder of the newest version under `root`.

    Raises:
        BundleNotFoundError: there is none.
    """
    found = list_bundles(root)
    if not found:
        raise BundleNotFoundError(f"no bundle under {root}: train one with `counterpoint train`")
    return found[-1]


def _read_verified(folder: Path, trusted_keys: Sequence[str] | None) -> tuple[Manifest, dict[str, bytes]]:
    try:
        return _read_checked(folder, trusted_keys)
    except OSError as error:
        raise BundleError(f"{folder} cannot be read: {error.strerror}") from error


def _read_checked(folder: Path, trusted_keys: Sequence[str] | None) -> tuple[Manifest, dict[str, bytes]]:
    signed = Manifest.read_bytes(folder)
    if trusted_keys is not None:
        check_signature(folder, signed, trusted_keys)
    manifest = Manifest.parse(signed, folder / MANIFEST)
    if manifest.version != folder.resolve().name:
        raise ManifestError(
            f"{folder / MANIFEST} is of version {manifest.version}: the folder must have its name"
        )
    for name in manifest.files:
        if (
            name != Path(name).name
            or name in {"", ".", "..", MANIFEST, SIGNATURE}
            or "\\" in name
            or "\0" in name
        ):
            raise UnsafePathError(f"{folder / MANIFEST}: {name!r} is not a plain file name")
    _check_entries(folder, manifest)
    _check_libraries(folder, manifest)
    contents = {}
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.exists():
            raise MissingFileError(f"{path} is listed in {MANIFEST} but missing")
        contents[name] = path.read_bytes()
        if _digest(contents[name]) != digest:
            raise AlteredFileError(f"{path} was altered: its sha256 differs from the one in {MANIFEST}")
    return manifest, contents


def _try_out(bundle: Bundle) -> None:
    """Score one comment: a model that cannot must fail here, not at the first reader's comment.

    Every stage is asked, since each makes ready what it needs when it is asked first.
    """
    try:
        for share in (0.0, 1.0):
            bundle.civility.predict_proba(["A comment."], share=share)
        bundle.civility.explain(["A comment."])
        for language in bundle.civility.others_:
            bundle.civility.predict_other(["A comment."], language)
        bundle.stance.assess([("A premise.", "A comment.")])
    except Exception as error:
        raise BundleError(f"{bundle.path} cannot score: {type(error).__name__}: {error}") from error


def _check_entries(folder: Path, manifest: Manifest) -> None:
    for name in _MODELS:
        if name not in manifest.files:
            raise ManifestError(f"{folder / MANIFEST}: files must list {name}")
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or not entry.is_file():
            raise UnsafePathError(f"{entry} must be a plain file, not a link or a folder")
        if entry.name not in {MANIFEST, SIGNATURE, *manifest.files}:
            raise UnknownFileError(f"{entry} is not listed in {MANIFEST}")


def _check_libraries(folder: Path, manifest: Manifest) -> None:
    """Refuse other minor versions of scikit-learn and other major versions of the rest.

    scikit-learn promises nothing across minor versions of what it pickles.
    """
    for name in ("scikit-learn", "numpy"):
        if name not in manifest.libraries:
            raise ManifestError(f"{folder / MANIFEST}: libraries must list {name}")
    here = _library_versions()
    for name, made_with in manifest.libraries.items():
        digits = 2 if name == "scikit-learn" else 1
        found = here.get(name)
        if found is None or found.split(".")[:digits] != str(made_with).split(".")[:digits]:
            raise LibraryVersionError(
                f"{folder} was made with {name} {made_with}, here is {found or 'none'}: "
                f"install {name}=={made_with} or train the bundle anew"
            )


def _library_versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _version_order(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"[.+-]", name)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]
