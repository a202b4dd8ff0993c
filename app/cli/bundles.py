"""Finding bundles for the commands, by the settings that the service reads too."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.settings import Settings

__all__ = ["AsJson", "Root", "Version", "active_version", "bundles_of", "find_bundle", "settings_of"]

Root = Annotated[
    Path | None, typer.Option("--releases", help="Folder of bundles.", show_default="COUNTERPOINT_RELEASES")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Version = Annotated[
    str | None,
    typer.Argument(help="Version, or the path of a bundle. Default: the newest.", show_default=False),
]

# Importing the models takes a second or two, which --help need not wait for.


def settings_of(root: Path | None) -> "Settings":
    """Return the service's settings, with another folder of bundles where one is named.

    Raises:
        SettingsError: a variable is wrong.
    """
    from app.settings import load_settings

    given: dict[str, Any] = {} if root is None else {"releases": root}
    return load_settings(**given)


def bundles_of(settings: "Settings") -> list[Path]:
    """Return the bundles, oldest version first."""
    from models import list_bundles

    return list_bundles(settings.releases)


def find_bundle(version: str | None, settings: "Settings", *, paths: bool = True) -> Path:
    """Return the folder of a version, or of the newest.

    Args:
        version: a version or, unless `paths` is false, the path of a bundle; None for the newest.
        settings: say where to look.
        paths: whether a path will do.

    Raises:
        BundleNotFoundError: there is none.
    """
    from models.errors import BundleNotFoundError

    for path in reversed(bundles_of(settings)):
        if version is None or path.name == version:
            return path
    if paths and version is not None and Path(version).is_dir():
        return Path(version)
    wanted = f"bundle {version}" if version else "bundle"
    raise BundleNotFoundError(f"there is no {wanted} in {settings.releases}: see `counterpoint models list`")


def active_version(settings: "Settings") -> str | None:
    """Return the version that a service of these settings is to serve, None where there is none at all.

    Raises:
        ActiveFileError: the active file cannot be read.
    """
    from app.releases.active import active_file_of

    if settings.bundle_version is not None:
        return settings.bundle_version
    history = active_file_of(settings.releases, settings.active_file).read()
    if history is not None:
        return history.active
    found = [path.name for path in bundles_of(settings) if path.name != settings.challenger]
    return found[-1] if found else None
