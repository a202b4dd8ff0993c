"""Signatures: who vouches for a bundle, by Ed25519 (RFC 8032) over the bytes of its manifest.

The manifest holds the digest of every other file, so that its signature covers the whole bundle. The
signature is a file beside it, 64 bytes as `openssl pkeyutl -sign -rawin` writes them; it may be added or
renewed without touching what it signs.
"""

import base64
import binascii
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import MissingExtraError, SignatureError, SigningKeyError
from models.manifest import Manifest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "SIGNATURE",
    "check_public_key",
    "check_signature",
    "make_key",
    "public_key_of",
    "sign_bundle",
    "signed_by",
]

SIGNATURE = "manifest.sig"
_SIGNATURE_BYTES = 64


def make_key() -> bytes:
    """Return a new private key: PEM (PKCS 8), without a passphrase.

    Raises:
        MissingExtraError: the extra `signing` is not installed.
    """
    _require_extra()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_key_of(private_key: bytes) -> str:
    """Return the public key of a private one, as one line: the middle line of OpenSSL's PEM.

    Raises:
        SigningKeyError: `private_key` is not an Ed25519 key in PEM.
        MissingExtraError: the extra `signing` is not installed.
    """
    from cryptography.hazmat.primitives import serialization

    der = (
        _private_key(private_key)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(der).decode()


def check_public_key(text: str) -> None:
    """Check that `text` is a public key as `public_key_of` gives it.

    Raises:
        SigningKeyError: it is none.
        MissingExtraError: the extra `signing` is not installed.
    """
    _public_key(text)


def sign_bundle(folder: Path, private_key: bytes, *, renew: bool = False) -> Path:
    """Sign the manifest of the bundle in `folder`; returns the signature's path, which appears whole.

    Args:
        folder: the bundle.
        private_key: Ed25519, PEM.
        renew: replace a signature that is there.

    Raises:
        SigningKeyError: `private_key` is not an Ed25519 key in PEM.
        SignatureError: there is a signature already, or it cannot be written.
        BundleError: there is no bundle.
    """
    key = _private_key(private_key)
    path = folder / SIGNATURE
    signature = key.sign(Manifest.read_bytes(folder))
    if path.exists() and not renew:
        raise SignatureError(f"{folder} is signed already: renew the signature if that is meant")
    try:
        # Not in the bundle's folder, where a file that no manifest lists makes the bundle invalid meanwhile.
        handle, scratch = tempfile.mkstemp(dir=folder.parent, prefix=f".{folder.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(signature)
            os.chmod(scratch, 0o644)
            os.replace(scratch, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(scratch)
            raise
    except OSError as error:
        raise SignatureError(f"{path} cannot be written: {error.strerror}") from error
    return path


def check_signature(folder: Path, signed: bytes, trusted_keys: Sequence[str]) -> None:
    """Check that one of the keys has signed these bytes of the manifest in `folder`.

    Raises:
        SignatureError: there is no signature, or none by a trusted key.
        SigningKeyError: a trusted key is none.
        MissingExtraError: the extra `signing` is not installed.
    """
    if signed_by(folder, signed, trusted_keys) is None:
        raise SignatureError(f"{folder / SIGNATURE} is not by a trusted key, or {folder} was altered since")


def signed_by(folder: Path, signed: bytes, keys: Sequence[str]) -> str | None:
    """Return which of the keys has signed these bytes, or None.

    Raises:
        SignatureError: there is no signature.
    """
    _require_extra()
    from cryptography.exceptions import InvalidSignature

    known = [(text, _public_key(text)) for text in keys]
    path = folder / SIGNATURE
    if path.is_symlink() or not path.is_file():
        raise SignatureError(f"{folder} is not signed: {SIGNATURE} is missing")
    with path.open("rb") as file:
        signature = file.read(_SIGNATURE_BYTES + 1)
    for text, key in known:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            continue
        return text
    return None


def _require_extra() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "signatures need cryptography: pip install 'counterpoint[signing]'"
        ) from error


def _private_key(pem: bytes) -> "Ed25519PrivateKey":
    _require_extra()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise SigningKeyError("the private key has a passphrase: sign with openssl instead") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SigningKeyError("the private key is not a key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError("the private key is not an Ed25519 key")
    return key


def _public_key(text: str) -> "Ed25519PublicKey":
    _require_extra()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise SigningKeyError("this is not a public key: give the middle line of its PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningKeyError("this is not an Ed25519 key")
    return key
