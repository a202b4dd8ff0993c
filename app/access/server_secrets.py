"""Where the server's secrets come from: the environment, or a file that nobody else may read."""

import os
import secrets
from pathlib import Path

from app.access.keys import ServerSecrets
from app.errors import SettingsError
from app.settings import Settings

__all__ = ["LEAST_CHARACTERS", "load_server_secrets", "make_server_secret"]

LEAST_CHARACTERS = 32


def load_server_secrets(settings: Settings) -> ServerSecrets:
    """Read the secrets under which keys are stored; there are none where no key was ever made here.

    Raises:
        SettingsError: the file cannot be read, or a secret is too short.
    """
    if settings.key_secret is not None:
        return _parsed(settings.key_secret.get_secret_value(), "COUNTERPOINT_KEY_SECRET")
    try:
        return _parsed(settings.key_secret_file.read_text(encoding="utf-8"), str(settings.key_secret_file))
    except FileNotFoundError:
        return ServerSecrets([])
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(settings.key_secret_file, error) from None


def make_server_secret(settings: Settings) -> ServerSecrets:
    """Return the secrets, after making the file where there is none yet.

    Raises:
        SettingsError: as `load_server_secrets`, or the file cannot be written.
    """
    known = load_server_secrets(settings)
    if known:
        return known
    try:
        file = os.open(settings.key_secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(f"{secrets.token_urlsafe(48)}\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise _unusable(settings.key_secret_file, error) from None
    return load_server_secrets(settings)


def _parsed(text: str, place: str) -> ServerSecrets:
    found = text.split()
    if not found or min(map(len, found)) < LEAST_CHARACTERS:
        raise SettingsError(
            f"{place} must hold one secret a line, each of at least {LEAST_CHARACTERS} characters"
        )
    return ServerSecrets(found)


def _unusable(path: Path, error: OSError | UnicodeDecodeError) -> SettingsError:
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    return SettingsError(f"COUNTERPOINT_KEY_SECRET_FILE: {path} is of no use: {reason}")
