"""API keys: how they are made, read and checked.

A key is `cp_<id>_<secret>`. The id is public and finds the row; of the secret only HMAC-SHA256 under the
server's own secret is stored (RFC 2104), so that the table alone lets nobody guess at keys.
"""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

__all__ = ["SCOPES", "GivenKey", "KeyScope", "ServerSecrets", "hide_keys", "new_key", "read_key"]

KeyScope = Literal["score", "feedback", "admin"]
SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)

_LETTERS = string.ascii_letters + string.digits
_ID_LETTERS = string.ascii_lowercase + string.digits
_ID_LENGTH, _SECRET_LENGTH = 10, 43  # 256 bits of chance
_KEY = re.compile(rf"cp_([a-z0-9]{{{_ID_LENGTH}}})_([A-Za-z0-9]{{{_SECRET_LENGTH}}})")
_KEY_LIKE = re.compile(r"(cp_[a-z0-9]{1,16}_)[A-Za-z0-9]+")


class GivenKey(NamedTuple):
    """A key as it came: well formed, and not yet checked."""

    id: str
    secret: str

    def __str__(self) -> str:
        """Return the key in full: to be shown once, to whom it is for."""
        return f"cp_{self.id}_{self.secret}"

    def __repr__(self) -> str:
        """Return the id alone."""
        return f"GivenKey({self.id})"


def new_key() -> GivenKey:
    """Make a key by chance."""
    return GivenKey(_random(_ID_LETTERS, _ID_LENGTH), _random(_LETTERS, _SECRET_LENGTH))


def read_key(text: str) -> GivenKey | None:
    """Return the key that `text` is, or None where it is none of ours."""
    found = _KEY.fullmatch(text)
    return None if found is None else GivenKey(found[1], found[2])


def hide_keys(text: str) -> str:
    """Return `text` with each key in it cut down to its id, for logs."""
    return _KEY_LIKE.sub(r"\1...", text) if "cp_" in text else text


class ServerSecrets:
    """The secrets under which keys are stored: the first for new keys, all of them for known ones."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._by_tag = {_tag(secret.encode()): secret.encode() for secret in secrets}

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._by_tag)

    @property
    def newest_tag(self) -> str:
        """Tag of the secret for new keys."""
        return next(iter(self._by_tag))

    def knows(self, tag: str) -> bool:
        """Tell whether keys that were stored under the secret with this tag can be checked."""
        return tag in self._by_tag

    def digest(self, key: GivenKey, tag: str) -> str:
        """Return what is stored of a key under the secret with this tag."""
        return hmac.new(self._by_tag[tag], str(key).encode(), hashlib.sha256).hexdigest()

    def fits(self, key: GivenKey, tag: str, digest: str) -> bool:
        """Tell whether `key` is the one of which `digest` was stored; how long it takes does not tell."""
        return hmac.compare_digest(self.digest(key, tag), digest)


def _tag(secret: bytes) -> str:
    return hmac.new(secret, b"counterpoint: which secret this is", hashlib.sha256).hexdigest()[:16]


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
