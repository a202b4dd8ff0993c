"""How stored things are named: digests of texts and of what tells one comment or opinion from another."""

import hashlib
import json

__all__ = ["comment_key", "digest_of", "key_of", "storable"]


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal.

    Who has a text can tell whether it is the one; a digest hides a text from reading, not from guessing.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def key_of(*parts: str | None) -> str:
    """Return one name of 64 characters for several parts in order."""
    return digest_of(json.dumps(parts))


def comment_key(comment_id: str | None, digest: str, article_id: str | None, article_url: str | None) -> str:
    """Return the key of a comment: of its id under its article or, without one, of its text there."""
    place = ("article", article_id) if article_id is not None else ("url", article_url)
    name = ("id", comment_id) if comment_id is not None else ("text", digest)
    return key_of(*place, *name)


def storable(text: str) -> str:
    """Return a text as both databases can keep it: PostgreSQL takes no NUL, which becomes U+FFFD."""
    return text.replace("\0", "\ufffd")
