"""How many comments a caller may have scored a minute, counted in memory or, for several processes, in Redis.

The count is the library limits' sliding window: of the minute before the current one, the share counts
that still lies within the last 60 seconds. It is approximate by at most that minute's unevenness.
"""

import asyncio
import importlib.util
import logging
import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.errors import StorageError

from app.errors import SettingsError

__all__ = ["RateLimiter", "Usage", "wait_for_one"]

_WINDOW_S = 60
_REST_S = 5.0
_log = logging.getLogger("counterpoint.limits")
_Storage = MemoryStorage | RedisStorage


@dataclass(frozen=True, slots=True)
class Usage:
    """What became of asking for some of a rate."""

    limit: int
    """Comments a minute."""
    granted: int
    """How many of those asked for may go on."""
    remaining: int
    """How many more may follow now."""
    retry_after_s: float
    """When there is room for one more, in seconds; 0 where there is some."""
    reset_s: float
    """When all of the rate is there again, in seconds, if nothing is used until then."""


class RateLimiter:
    """Counts what callers use.

    Args:
        redis_url: where all processes count together; None counts in this process alone. Where Redis does
            not answer, this process counts for itself until it does.
        timeout_s: how long Redis may take, in seconds.

    Raises:
        SettingsError: the client of Redis is not installed, or the URL is none.
    """

    def __init__(self, redis_url: str | None, *, timeout_s: float) -> None:
        self._memory = MemoryStorage()
        self._redis = None if redis_url is None else _redis(redis_url, timeout_s)
        self._timeout = timeout_s
        self._rests_until = 0.0
        self._is_down = False

    @property
    def is_down(self) -> bool:
        """Whether Redis is asked for and did not answer when it was last asked."""
        return self._is_down

    async def check(self) -> None:
        """Find out whether Redis answers; `is_down` tells."""
        if self._redis is not None:
            try:
                async with asyncio.timeout(self._timeout):
                    found = await self._redis.check()
            except TimeoutError:
                found = False
            self._answers(found)

    async def take(self, caller: str, limit: int, wanted: int = 1, *, partly: bool = False) -> Usage:
        """Use up to `wanted` of a caller's rate of `limit` comments a minute.

        Args:
            caller: whose rate it is.
            limit: at least 1.
            wanted: how many comments.
            partly: whether some of them are granted where there is no room for all.
        """
        if self._redis is not None and time.monotonic() >= self._rests_until:
            if self._is_down:  # one request tries; others must not wait for it
                self._rests_until = time.monotonic() + _REST_S
            try:
                async with asyncio.timeout(self._timeout):
                    usage = await _take(self._redis, caller, limit, wanted, partly)
            except (StorageError, TimeoutError):
                self._answers(False)
            else:
                self._answers(True)
                return usage
        return await _take(self._memory, caller, limit, wanted, partly)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    def _answers(self, answers: bool) -> None:
        if not answers:
            self._rests_until = time.monotonic() + _REST_S
        else:
            self._rests_until = 0.0
        if answers == self._is_down:
            self._is_down = not answers
            if answers:
                _log.warning("Redis answers again; rates are counted there")
            else:
                _log.warning("Redis does not answer; this process counts rates for itself")


def _redis(url: str, timeout_s: float) -> RedisStorage:
    if importlib.util.find_spec("redis") is None:
        raise SettingsError("COUNTERPOINT_REDIS_URL needs the extra redis: pip install counterpoint[redis]")
    options = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    try:
        return RedisStorage(
            f"async+{url}", True, implementation="redispy", key_prefix="counterpoint", **options
        )
    except ValueError:  # the message may quote the password
        raise SettingsError("COUNTERPOINT_REDIS_URL must begin with redis://, rediss:// or unix://") from None


async def _take(storage: _Storage, caller: str, limit: int, wanted: int, partly: bool) -> Usage:
    key = RateLimitItemPerMinute(limit).key_for(caller)

    async def acquire(amount: int) -> int:
        got = await storage.acquire_sliding_window_entry(key, limit, _WINDOW_S, amount)
        return amount if got else 0

    async def look() -> tuple[int, tuple[int, float, int, float]]:
        before, before_s, now, _ = counts = await storage.get_sliding_window(key, _WINDOW_S)
        return max(0, limit - math.floor(before * before_s / _WINDOW_S + now)), counts

    granted = await acquire(wanted)
    remaining, counts = await look()
    if partly and not granted and remaining:
        granted = await acquire(min(wanted, remaining))
        remaining, counts = await look()
    before, before_s, now, now_s = counts
    return Usage(
        limit=limit,
        granted=granted,
        remaining=remaining,
        retry_after_s=0.0 if remaining else wait_for_one(limit, before, before_s, now, now_s),
        reset_s=now_s if now else before_s,
    )


def wait_for_one(limit: int, before: int, before_s: float, now: int, now_s: float) -> float:
    """Return in how many seconds one more is granted.

    Args:
        limit: as granted in a window.
        before: granted in the window before this one, which counts for `before_s` more seconds, ever less.
        before_s: as above.
        now: granted in this window.
        now_s: until it counts no more, in seconds; for the last 60 of these it is the window before.
    """
    if now < limit:
        return max(0.0, before_s - (limit - now) * _WINDOW_S / before) if before else 0.0
    return max(0.0, now_s - _WINDOW_S) + max(0.0, _WINDOW_S - _WINDOW_S * limit / now)
