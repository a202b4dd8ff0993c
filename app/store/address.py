"""Where the database is, with a password that may lie in a file."""

from contextlib import suppress

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import SettingsError
from app.settings import Settings

__all__ = ["database_url"]


def database_url(settings: Settings) -> str:
    """Return the URL of the database, with the password that the settings keep in a file.

    Raises:
        SettingsError: the file cannot be read, or is empty.
    """
    file = settings.database_password_file
    if file is None:
        return settings.database_url
    try:
        password = file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        kind = type(error).__name__
        raise SettingsError(f"COUNTERPOINT_DATABASE_PASSWORD_FILE: {file} cannot be read ({kind})") from None
    if not password:
        raise SettingsError(f"COUNTERPOINT_DATABASE_PASSWORD_FILE: {file} holds no password")
    with suppress(ArgumentError):  # which whoever opens the database tells better
        return make_url(settings.database_url).set(password=password).render_as_string(hide_password=False)
    return settings.database_url
