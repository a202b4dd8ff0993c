"""`counterpoint models keygen` and `sign`: who vouches for a bundle."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from app.cli.bundles import Root, find_bundle, settings_of

__all__ = ["keygen", "sign"]


def keygen(
    output: Annotated[Path, typer.Option(help="File for the private key; must not exist.")],
) -> None:
    """Make an Ed25519 key: the private one into a file, the public one onto the screen.

    Keep the private key where releases are made, and away from the machines that serve them.
    Needs the extra "signing".

    For example:

      counterpoint models keygen --output release-key.pem
    """
    from models.errors import SigningKeyError
    from models.signing import make_key, public_key_of

    pem = make_key()
    try:
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as error:
        raise SigningKeyError(f"{output} cannot be made: {error.strerror}") from error
    public = public_key_of(pem)
    typer.echo(public)
    Console(stderr=True, soft_wrap=True).print(
        Text(f"Trust it with: COUNTERPOINT_TRUSTED_KEYS='[\"{public}\"]'")
    )


def sign(
    version: Annotated[str, typer.Argument(help="Version, or the path of a bundle.")],
    key: Annotated[Path, typer.Option(help="The private key: Ed25519, PEM.")],
    renew: Annotated[bool, typer.Option("--renew", help="Replace the signature that is there.")] = False,
    root: Root = None,
) -> None:
    """Sign a bundle's manifest, and by the digests in it everything else, after checking them.

    The bundle itself stays as it is; `manifest.sig` appears beside its manifest.

    For example:

      counterpoint models sign 2026.12.0 --key release-key.pem
    """
    from models import verify_bundle
    from models.errors import SigningKeyError
    from models.signing import public_key_of, sign_bundle

    try:
        pem = key.read_bytes()
    except OSError as error:
        raise SigningKeyError(f"{key} cannot be read: {error.strerror}") from error
    folder = find_bundle(version, settings_of(root))
    verify_bundle(folder)
    path = sign_bundle(folder, pem, renew=renew)
    Console(soft_wrap=True).print(Text(f"{path}: signed by {public_key_of(pem)}"))
