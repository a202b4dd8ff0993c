"""HTTP that connects only where it may: the address that is looked at is the one that is connected to."""

import asyncio
import ipaddress
import socket
from collections.abc import Collection

import httpx

from app.errors import AddressError
from app.integrations.addresses import Address, Network, is_public

__all__ = ["GuardedTransport"]


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to public addresses, and to those of some networks; no proxy stands between.

    A name is resolved once a request, and one address that is not allowed is enough to refuse it: what else
    the name leads to may be what a rebinding name server answers next. Certificates are those of the name.
    No connection is used twice.

    Args:
        networks: further networks that are allowed.
    """

    def __init__(self, networks: Collection[Network]) -> None:
        self._networks = tuple(networks)
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first of its host's addresses that takes a connection.

        Raises:
            AddressError: the host leads to an address that is not allowed.
            httpx.TransportError: it leads nowhere, or does not answer.
        """
        host = request.url.raw_host.decode("ascii")
        *rest, last = await self._addresses(host, request)
        for address in rest:
            try:
                return await self._send(request, host, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._send(request, host, last)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _addresses(self, host: str, request: httpx.Request) -> list[Address]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpx.ConnectError("the host has no address", request=request) from None
        addresses = [ipaddress.ip_address(place[0]) for *_, place in found]
        for address in addresses:
            if not is_public(address) and not any(address in network for network in self._networks):
                raise AddressError(f"{host} leads to {address}, which is not public")
        return addresses

    async def _send(self, request: httpx.Request, host: str, address: Address) -> httpx.Response:
        return await self._transport.handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=request.headers,  # Host is the name
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
        )
