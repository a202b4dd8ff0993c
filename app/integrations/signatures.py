"""Who sent a request, and whether it is fresh: HMAC-SHA256 over the raw body, as Coral and Discourse sign."""

import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import datetime

from fastapi import Request
from pydantic import SecretStr

from app.errors import ForbiddenError, UnavailableError

__all__ = ["refuse_stale", "sign", "signed_body", "verify"]

_SCHEME = "sha256"
_MOST_SIGNATURES = 16  # a rotation sends two or three; more would only make the check slow


def sign(body: bytes, secret: SecretStr) -> str:
    """Return the signature of `body`, as both systems write it: `sha256=` and 64 hexadecimal digits."""
    return f"{_SCHEME}={hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()}"


def verify(body: bytes, header: str | None, secrets: Sequence[SecretStr]) -> bool:
    """Tell whether one of the signatures in `header` is that of one of the secrets.

    Args:
        body: the raw body.
        header: `sha256=<hex>`, several separated by commas while the sender rotates its secret.
        secrets: every secret that counts, several while the receiver rotates.

    Returns:
        The time it takes tells neither which secret fits nor how much of a signature is right.
    """
    given = [part.strip().encode() for part in (header or "").split(",")[:_MOST_SIGNATURES]]
    matches = False
    for secret in secrets:
        expected = sign(body, secret).encode()
        for signature in given:
            matches |= hmac.compare_digest(signature, expected)
    return matches


async def signed_body(request: Request, header: str, secrets: Sequence[SecretStr], variable: str) -> bytes:
    """Return the body of a request that is rightly signed.

    Args:
        request: what came.
        header: name of the header that carries the signature.
        secrets: every secret that counts.
        variable: the setting that holds them, for the message.

    Raises:
        UnavailableError: there is no secret, so nobody can be known. Not 404: Discourse deactivates a
            hook for that.
        ForbiddenError: the signature is missing or wrong.
    """
    if not secrets:
        raise UnavailableError(f"This integration is switched off: {variable} holds no secret.")
    body = await request.body()
    if not verify(body, ",".join(request.headers.getlist(header)), secrets):
        raise ForbiddenError(f"{header} is missing, or is not the signature of this body.")
    return body


def refuse_stale(created: datetime, tolerance_s: float) -> None:
    """Refuse an event that is older than `tolerance_s` seconds, or as far in the future.

    Raises:
        ForbiddenError: it is; perhaps somebody sends an overheard request again.
    """
    if abs(time.time() - created.timestamp()) > tolerance_s:
        raise ForbiddenError(f"The event was not created within {tolerance_s:g} s of now.")
