"""Work for a caller who may go away before it is done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

__all__ = ["unless_gone"]

_Value = TypeVar("_Value")


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, _Value]) -> _Value:
    """Return what `work` returns; it is cancelled when the caller goes away.

    Args:
        receive: of a request whose body has been read.
        work: what to do.

    Raises:
        ClientDisconnect: the caller has gone away.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
