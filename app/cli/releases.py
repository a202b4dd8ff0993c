"""`counterpoint models activate` and `rollback`: from one version to another."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from app.cli.bundles import Root, active_version, find_bundle, settings_of

if TYPE_CHECKING:
    from app.settings import Settings

__all__ = ["activate", "rollback"]

_Wanted = Annotated[str, typer.Argument(help="Version, see `counterpoint models list`.")]


def activate(version: _Wanted, root: Root = None) -> None:
    """Put a version to use in every running worker, once it has been loaded here and found to score.

    Writes the active file, which workers look at every COUNTERPOINT_RELEASE_CHECK_S seconds; a service that
    starts later serves that version too. Nothing is dropped or delayed.

    Exit status: 0 when it is written down, 1 when the bundle fails its checks; then nothing changes.

    For example:

      counterpoint models activate 2026.12.0
    """
    from app.releases.active import active_file_of
    from models import load_bundle

    settings = _not_fixed(settings_of(root))
    with active_file_of(settings.releases, settings.active_file).change() as change:
        in_use = active_version(settings)
        load_bundle(find_bundle(version, settings, paths=False), settings.trusted_keys)
        change.activate(version, in_use)
    _tell(version, in_use)


def rollback(root: Root = None) -> None:
    """Return to the version that was active before; its scores are the same as then.

    A second rollback goes one further back. Exit status as of `activate`.
    """
    from app.releases.active import active_file_of
    from models import load_bundle

    settings = _not_fixed(settings_of(root))
    with active_file_of(settings.releases, settings.active_file).change() as change:
        in_use, version = active_version(settings), change.rollback_target
        load_bundle(find_bundle(version, settings, paths=False), settings.trusted_keys)
        change.roll_back()
    _tell(version, in_use)


def _not_fixed(settings: "Settings") -> "Settings":
    from app.errors import ConflictError

    if settings.bundle_version is not None:
        raise ConflictError("COUNTERPOINT_BUNDLE_VERSION fixes the version: unset it to activate another one")
    return settings


def _tell(version: str, in_use: str | None) -> None:
    text = f"{version} is active" + (f", before it {in_use}" if in_use not in (None, version) else "")
    Console(soft_wrap=True).print(Text(f"{text}; running workers follow"))
