"""Who may call: everybody on loopback while there is no key, and otherwise whose key is a usable one."""

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from app.access.caller import Caller
from app.access.keyring import Keyring
from app.access.keys import KeyScope, read_key
from app.errors import MissingScopeError, UnauthorizedError, UnavailableError
from app.settings import Settings
from app.store.keys import KeyStore

__all__ = ["HOW_TO_ENTER", "Access", "is_loopback", "require_scope"]

_log = logging.getLogger("counterpoint.access_keys")
HOW_TO_ENTER = "`counterpoint keys create` makes one; COUNTERPOINT_OPEN=true lets everybody in"


class Access:
    """Admits callers. Open it with `start` before asking.

    Args:
        settings: whether the service is open, and what the keyring needs.
        store: where keys are kept.
        ask: calls a method of the store in a worker thread, and raises `StoreError` in bounded time.
    """

    def __init__(self, settings: Settings, store: KeyStore, ask: Callable[..., Awaitable[Any]]) -> None:
        self._settings = settings
        self.keyring = Keyring(settings, store, ask)

    async def start(self) -> None:
        """Read the keys, and warn where none is needed."""
        if self._settings.open:
            _log.warning("COUNTERPOINT_OPEN: whoever reaches this service may use all of it")
            return
        await self.keyring.read()
        if self.keyring.is_empty:
            _log.warning(
                "no API key exists: everybody on this machine may use this service. %s", HOW_TO_ENTER
            )

    async def follow(self) -> None:
        """Keep up with the keys until cancelled."""
        if not self._settings.open:
            await self.keyring.follow()

    async def close(self) -> None:
        """Write down what is not yet."""
        await self.keyring.note_use()

    @property
    def problem(self) -> str | None:
        """Why keys cannot be checked, where any are needed."""
        return None if self._settings.open else self.keyring.problem

    async def admit(self, credentials: Sequence[str], *, on_loopback: bool) -> Caller | None:
        """Return who calls; None where the service is open and nobody needs to say.

        Args:
            credentials: what came as a key; the first one that has the shape of ours counts.
            on_loopback: whether the connection came to a loopback address.

        Raises:
            UnauthorizedError: a usable key is needed, and none came.
            UnavailableError: whether it is one cannot be known now.
        """
        if self._settings.open:
            return None
        if self.keyring.is_empty:
            if on_loopback:
                return None
            raise UnauthorizedError(f"There is no API key yet: {HOW_TO_ENTER}.")
        given = next(filter(None, map(read_key, credentials)), None)
        if given is None:
            if not self.keyring.was_read:
                raise UnavailableError("Keys cannot be checked now; try again later.")
            raise UnauthorizedError(
                "The key is not one of this service's." if credentials else "This needs an API key."
            )
        key = await self.keyring.check(given)
        return Caller(key.id, frozenset(key.scopes), key.requests_a_minute)


def require_scope(caller: Caller | None, scope: KeyScope) -> None:
    """Refuse a caller whose key does not reach so far; an open service asks nobody.

    Raises:
        MissingScopeError: it does not.
    """
    if caller is not None and scope not in caller.scopes:
        raise MissingScopeError(f"The key lacks the scope {scope}.")


def is_loopback(host: str) -> bool:
    """Tell whether an address is one that only this machine reaches."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
