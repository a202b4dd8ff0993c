"""The headline of a story, read from its page on a host that the operator has named.

Only what is asked of it is fetched: a signed event must not make this service call whom it likes.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Final

import httpx
from anyio import to_thread

from app.errors import AddressError
from app.integrations.addresses import Network
from app.integrations.guarded import GuardedTransport
from app.reading import is_blank
from app.threads import ThreadError
from app.threads.markup import attribute, parse_html
from app.threads.source import as_text
from counterpoint import __version__

__all__ = ["fetch_headline"]

_log = logging.getLogger("counterpoint.integrations")
_PATIENCE_S: Final = 5.0  # Coral waits ten seconds for the answer to a webhook
_CONNECT_S: Final = 2.0  # so that a second address is tried where the first is silent
_MOST_BYTES = 1_000_000
_MOST_REDIRECTS = 3
_LONGEST = 600


async def fetch_headline(url: str, hosts: Collection[str], networks: Collection[Network] = ()) -> str | None:
    """Return the headline of the page at `url`, or None where it cannot be had.

    Args:
        url: address of the story, as the comment system gives it.
        hosts: the only hosts that are asked, each as `news.example` or `news.example:8080`. Redirects to
            others are not followed.
        networks: where these hosts may be beside the public Internet.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            page = await _fetch(url, {host.lower() for host in hosts}, networks)
            return None if page is None else await to_thread.run_sync(_headline, page)
    except AddressError as error:
        _log.warning("a story's page is not read: %s; COUNTERPOINT_CORAL_STORY_NETWORKS can allow it", error)
        return None
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ThreadError) as error:
        _log.warning("a story's page cannot be read: %s", type(error).__name__)
        return None


async def _fetch(url: str, hosts: Collection[str], networks: Collection[Network]) -> bytes | None:
    headers = {"User-Agent": f"Counterpoint/{__version__}", "Accept": "text/html"}
    place = httpx.URL(url)
    timeout = httpx.Timeout(_PATIENCE_S, connect=_CONNECT_S)
    transport = GuardedTransport(networks)
    async with httpx.AsyncClient(headers=headers, timeout=timeout, transport=transport) as client:
        for _ in range(_MOST_REDIRECTS + 1):
            if place.scheme not in {"http", "https"} or place.netloc.decode().lower() not in hosts:
                return None
            async with client.stream("GET", place) as response:
                if response.next_request is not None:
                    place = response.next_request.url
                    continue
                return await _beginning(response) if response.is_success else None
    return None


async def _beginning(response: httpx.Response) -> bytes:
    page = bytearray()
    async for chunk in response.aiter_bytes():
        page += chunk
        if len(page) >= _MOST_BYTES:
            break
    return bytes(page[:_MOST_BYTES])


def _headline(page: bytes) -> str | None:
    soup = parse_html(as_text(page))
    found = [attribute(tag, "content") for tag in soup.select('meta[property="og:title"]')]
    found += [tag.get_text(" ") for name in ("h1", "title") for tag in soup.find_all(name)]
    headlines = (" ".join(text.split()) for text in found if not is_blank(text))
    return next(headlines, "")[:_LONGEST] or None
