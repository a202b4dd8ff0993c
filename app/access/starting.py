"""Whether a service may start as it is set up."""

import logging
from datetime import UTC, datetime

from app.access.access import HOW_TO_ENTER, is_loopback
from app.errors import SettingsError, StoreError
from app.settings import Settings
from app.store.keys import KeyStore

__all__ = ["check_start"]

_log = logging.getLogger("counterpoint.access_keys")


def check_start(settings: Settings, store: KeyStore) -> None:
    """Refuse to start where everybody could use the service without anybody having said so. Blocks.

    A database that does not answer stops nobody from starting: until it does, nobody is let in.

    Raises:
        SettingsError: the address is not loopback, and there is no usable key.
    """
    if settings.open or is_loopback(settings.host):
        return
    try:
        keys = store.all()
    except StoreError as error:
        _log.error("API keys cannot be read, and until then nobody is let in: %s", error)
        return
    now = datetime.now(UTC)
    if not any(key.is_usable(now) for key in keys):
        raise SettingsError(
            f"{settings.host} is not loopback, and there is no usable API key: {HOW_TO_ENTER}"
        )
