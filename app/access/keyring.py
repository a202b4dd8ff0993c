"""The keys that a worker knows: read anew every few seconds, so that no request waits for the database."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.access.keys import GivenKey, ServerSecrets
from app.access.server_secrets import load_server_secrets
from app.errors import SettingsError, StoreError, UnauthorizedError, UnavailableError
from app.settings import Settings
from app.store.keys import KeyStore, StoredKey

__all__ = ["Keyring"]

_LEAST_PAUSE_S = 0.5  # unknown ids, which anybody can send, make the keys be read no more often
_NO_DIGEST = "0" * 64
_REFUSED = "The key is unknown, wrong, expired or revoked."
_log = logging.getLogger("counterpoint.access_keys")


class Keyring:
    """The keys of the store, as they were a few seconds ago.

    Args:
        settings: how often keys are read, and how long they go on where they cannot be.
        store: where they are kept.
        ask: calls a method of the store in a worker thread, and raises `StoreError` in bounded time.
    """

    def __init__(self, settings: Settings, store: KeyStore, ask: Callable[..., Awaitable[Any]]) -> None:
        self._settings, self._store, self._ask = settings, store, ask
        self._keys: Mapping[str, StoredKey] = {}
        self._secrets = ServerSecrets([])
        self._reading = asyncio.Lock()
        self._read_at: float | None = None
        self._tried_at = 0.0
        self._unread: str | None = "the keys are not read yet"
        self._unreadable = frozenset[str]()
        self._used: dict[str, datetime] = {}

    @property
    def was_read(self) -> bool:
        """Whether the keys were ever read."""
        return self._read_at is not None

    @property
    def is_empty(self) -> bool:
        """Whether there is no key, not even a revoked one. Only then may a service be open by default."""
        return self.was_read and not self._keys

    @property
    def problem(self) -> str | None:
        """Why keys cannot be read or checked, if so."""
        if self._unread is not None:
            return self._unread
        return "some keys were made with a server secret that is not here" if self._unreadable else None

    async def check(self, given: GivenKey) -> StoredKey:
        """Return the key that was given, if it is a usable one.

        Raises:
            UnauthorizedError: it is not.
            UnavailableError: that cannot be known now.
        """
        key = self._known(given.id)
        if key is None and self._unread is None and time.monotonic() - self._tried_at >= _LEAST_PAUSE_S:
            await self.read()
            key = self._known(given.id)
        if key is None:
            if self._unread is not None:
                raise UnavailableError("Keys cannot be checked now; try again later.")
            if self._secrets:  # an unknown id takes as long as a wrong secret
                self._secrets.fits(given, self._secrets.newest_tag, _NO_DIGEST)
            raise UnauthorizedError(_REFUSED)
        if not self._secrets.knows(key.secret_tag):
            raise UnavailableError("This key cannot be checked here; the log says why.")
        now = datetime.now(UTC)
        if not self._secrets.fits(given, key.secret_tag, key.digest) or not key.is_usable(now):
            raise UnauthorizedError(_REFUSED)
        self._used[key.id] = now
        return key

    async def read(self) -> None:
        """Read the keys anew; where that fails, those known go on."""
        asked = time.monotonic()
        async with self._reading:
            if self._tried_at > asked:  # somebody else has just done it
                return
            self._tried_at = time.monotonic()
            try:
                keys, secrets = await self._ask(self._read)
            except (StoreError, SettingsError) as error:
                if self._unread is None or not self.was_read:
                    _log.error("API keys cannot be read: %s", error)
                self._unread = "cannot be read; those known go on for a while"
                return
            self._keys, self._secrets = keys, secrets
            self._read_at, self._unread = self._tried_at, None
        self._tell_of_unreadable()

    async def follow(self) -> None:
        """Read the keys every few seconds, and write down which were used, until cancelled."""
        noted_at = time.monotonic()
        while True:
            await asyncio.sleep(self._settings.key_check_s)
            await self.read()
            if time.monotonic() - noted_at >= self._settings.key_use_s:
                await self.note_use()
                noted_at = time.monotonic()

    async def note_use(self) -> None:
        """Write down when keys were last used; where that fails, later."""
        used, self._used = self._used, {}
        try:
            if used:
                await self._ask(self._store.note_use, used)
        except StoreError as error:
            _log.warning("the last use of keys is not written down yet: %s", error)
            self._used = used | self._used

    def _known(self, key_id: str) -> StoredKey | None:
        age_s = 0.0 if self._unread is None or self._read_at is None else time.monotonic() - self._read_at
        return self._keys.get(key_id) if age_s <= self._settings.key_outage_s else None

    def _read(self) -> tuple[Mapping[str, StoredKey], ServerSecrets]:
        keys = {key.id: key for key in self._store.all()}
        return keys, load_server_secrets(self._settings) if keys else ServerSecrets([])

    def _tell_of_unreadable(self) -> None:
        now = datetime.now(UTC)
        usable = (key for key in self._keys.values() if key.is_usable(now))
        unreadable = frozenset(key.id for key in usable if not self._secrets.knows(key.secret_tag))
        if unreadable - self._unreadable:
            _log.error(
                "API keys %s were made with a server secret that COUNTERPOINT_KEY_SECRET or its file lacks",
                ", ".join(sorted(unreadable)),
            )
        self._unreadable = unreadable
