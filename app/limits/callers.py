"""Holds each caller to its rate, and tells it how much is left."""

import ipaddress
import math
from collections.abc import Callable, Collection
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.caller import Caller
from app.errors import TooManyRequestsError
from app.limits.rates import RateLimiter, Usage
from app.ops.problems import problem_of, problem_response

__all__ = ["Allowance", "RateLimit", "address_of", "allowance_of", "allowance_of_key"]

_POLICY = "default"
_WINDOW_S = 60
_LEAST_WAIT_S = 0.05
_IPV6_PREFIX = 64  # what one customer is given: addresses within it are free for the taking


class Allowance:
    """What a caller may have scored: by whom it is asked, and what is known of it."""

    def __init__(self, limiter: RateLimiter, caller: str, limit: int) -> None:
        self.usage: Usage | None = None
        self._limiter = limiter
        self._caller = caller
        self._limit = limit

    @property
    def wait_s(self) -> float:
        """When it is worth asking for more, in seconds."""
        return _LEAST_WAIT_S if self.usage is None else max(_LEAST_WAIT_S, self.usage.retry_after_s)

    async def take(self, wanted: int = 1, *, partly: bool = False) -> int:
        """Use some of the rate; returns how many comments may be scored, as `RateLimiter.take` says."""
        self.usage = await self._limiter.take(self._caller, self._limit, wanted, partly=partly)
        return self.usage.granted

    async def take_all(self, wanted: int) -> None:
        """Use some of the rate.

        Raises:
            TooManyRequestsError: there is no room for all of them.
        """
        if wanted > 0 and await self.take(wanted) < wanted:
            raise self.refusal(wanted)

    def refusal(self, wanted: int = 1) -> TooManyRequestsError:
        """Return how to refuse so many comments."""
        asked = f"; {wanted} more are asked for at once" if wanted > 1 else ""
        detail = f"This caller may have {self._limit} comments scored a minute{asked}. Try again later."
        return TooManyRequestsError(detail, retry_after_s=math.ceil(self.wait_s))

    def headers(self) -> dict[str, str]:
        """Return the fields of draft-ietf-httpapi-ratelimit-headers-10."""
        told = {"RateLimit-Policy": f'"{_POLICY}";q={self._limit};w={_WINDOW_S}'}
        if self.usage is not None:
            reset = math.ceil(self.usage.reset_s)
            told["RateLimit"] = f'"{_POLICY}";r={self.usage.remaining};t={reset}'
        return told


class RateLimit:
    """Middleware: answers 429 to a caller over its rate, before its body is read.

    It has to stand inside of what finds out the caller.

    Args:
        app: what to protect.
        limiter: counts.
        default: comments a minute of callers whose key does not say otherwise; None is any number.
        trusted_proxies: as the setting.
        except_paths: paths that anybody may ask for at any rate.
        refused: told "rate" of each request that is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limiter: RateLimiter,
        default: int | None,
        trusted_proxies: int,
        except_paths: Collection[str],
        refused: Callable[[str], None],
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._default = default
        self._proxies = trusted_proxies
        self._except_paths = frozenset(except_paths)
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        allowance = None
        if scope["type"] == "http" and scope["path"] not in self._except_paths:
            allowance = self._allowance(scope)
        if allowance is None:
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["allowance"] = allowance
        if await allowance.take():
            await self._app(scope, receive, _telling(allowance, send))
            return
        self._refused("rate")
        refusal = allowance.refusal()
        headers = {"Retry-After": str(refusal.retry_after_s), **allowance.headers()}
        await problem_response(problem_of(refusal), scope, headers)(scope, receive, send)

    def _allowance(self, scope: Scope) -> Allowance | None:
        caller: Caller | None = scope.get("state", {}).get("caller")
        if caller is not None:
            return allowance_of_key(caller, self._limiter, self._default)
        if self._default is None:
            return None
        return Allowance(self._limiter, f"address:{address_of(scope, self._proxies)}", self._default)


def allowance_of_key(caller: Caller, limiter: RateLimiter, default: int | None) -> Allowance | None:
    """Return what may be scored with a key; None is any number.

    Args:
        caller: whose key it is.
        limiter: counts.
        default: comments a minute of keys that have no rate of their own; None is any number.
    """
    limit = default if caller.requests_a_minute is None else caller.requests_a_minute
    return None if limit is None else Allowance(limiter, f"key:{caller.id}", limit)


def allowance_of(scope: Scope) -> Allowance | None:
    """Return what the caller of a request may have scored; None is any number."""
    allowance: Allowance | None = scope.get("state", {}).get("allowance")
    return allowance


def address_of(scope: Scope, trusted_proxies: int) -> str:
    """Return by which address a caller is counted: IPv4 whole, of IPv6 its network of 64 bits.

    Args:
        scope: of the request.
        trusted_proxies: how many entries of `X-Forwarded-For`, from the right, are to be believed.
    """
    client = scope.get("client")
    address = "" if client is None else str(client[0])
    if trusted_proxies:
        forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        if len(forwarded) >= trusted_proxies:
            address = forwarded[-trusted_proxies].strip() or address
    if address.count(":") == 1:  # some proxies write down the port of IPv4, too
        address = address.partition(":")[0]
    with suppress(ValueError):
        parsed = ipaddress.ip_address(address)
        if isinstance(parsed, ipaddress.IPv6Address):
            mapped = parsed.ipv4_mapped
            network = ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False)
            return str(network if mapped is None else mapped)
        return str(parsed)
    return "unknown"


def _telling(allowance: Allowance, send: Send) -> Send:
    async def send_with_rate(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = [(name.lower().encode(), value.encode()) for name, value in allowance.headers().items()]
            message = {**message, "headers": [*message["headers"], *told]}
        await send(message)

    return send_with_rate
