"""Lines in, answers out, at the same time, in order, and with bounded memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.limits.callers import Allowance

__all__ = ["DuplexResponse", "Line", "StreamPace", "answer_lines", "split_lines", "unless_idle"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank. `number` counts all lines from 1; `content` is None where it is too long."""

    number: int
    content: bytes | None


class DuplexResponse(StreamingResponse):
    """A streamed answer to a body that is still being read."""

    media_type = "application/x-ndjson"

    def __init__(self, answers: AsyncGenerator[bytes]) -> None:
        super().__init__(answers)
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer. Starlette's own would read the body away while waiting for a disconnect."""
        try:
            await self.stream_response(send)
        finally:
            await self._answers.aclose()


class StreamPace:
    """Lets the lines of a stream through at the caller's rate; those over it wait instead of being refused.

    Args:
        allowance: of the caller, the first line taken from it already; None lets everything through.
    """

    def __init__(self, allowance: Allowance | None) -> None:
        self._allowance = allowance
        self._is_first = True
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Wait until a line may be scored."""
        if self._allowance is None:
            return
        async with self._turn:
            if self._is_first:
                self._is_first = False
                return
            while not await self._allowance.take():
                await asyncio.sleep(self._allowance.wait_s)


async def unless_idle(chunks: AsyncIterator[bytes], idle_s: float) -> AsyncIterator[bytes]:
    """Yield the chunks of a body.

    Raises:
        ClientDisconnect: the next one did not come within `idle_s` seconds.
    """
    iterator = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout(idle_s):
                chunk = await anext(iterator)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ClientDisconnect from None
        yield chunk


async def split_lines(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[Line]:
    """Yield the lines in `chunks` that are not blank, never holding more than `max_bytes` and a chunk."""
    number, held, too_long = 1, bytearray(), False
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            too_long = too_long or len(held) + len(part) > max_bytes
            if not too_long:
                held += part
            if too_long or held.strip():
                yield Line(number, None if too_long else bytes(held))
            number, too_long = number + 1, False
            held.clear()
        too_long = too_long or len(held) + len(rest) > max_bytes
        if too_long:
            held.clear()
        else:
            held += rest
    if too_long or held.strip():
        yield Line(number, None if too_long else bytes(held))


async def answer_lines(
    lines: AsyncIterator[Line], answer: Callable[[Line], Awaitable[bytes]], window: int, window_bytes: int
) -> AsyncGenerator[bytes]:
    """Yield the answers in the order of the lines.

    Args:
        lines: what to answer.
        answer: answers one line.
        window: most lines that are read and not yet yielded.
        window_bytes: the next line is read only while those in flight have fewer bytes.
    """
    pending: asyncio.Queue[tuple[asyncio.Future[bytes], int] | None] = asyncio.Queue()
    room = _Room(window, window_bytes)

    async def read() -> None:
        with suppress(ClientDisconnect):
            await room.wait()
            async for line in lines:
                size = len(line.content or b"")
                room.take(size)
                pending.put_nowait((asyncio.ensure_future(answer(line)), size))
                await room.wait()
        pending.put_nowait(None)

    reader = asyncio.create_task(read())
    try:
        while (waiting := await pending.get()) is not None:
            future, size = waiting
            yield await future
            room.give_back(size)
    finally:
        reader.cancel()
        while not pending.empty():
            if (waiting := pending.get_nowait()) is not None:
                waiting[0].cancel()
        with suppress(asyncio.CancelledError):
            await reader


class _Room:
    def __init__(self, lines: int, size: int) -> None:
        self._lines, self._bytes = lines, size
        self._freed = asyncio.Event()

    async def wait(self) -> None:
        while self._lines <= 0 or self._bytes <= 0:
            self._freed.clear()
            await self._freed.wait()

    def take(self, size: int) -> None:
        self._lines, self._bytes = self._lines - 1, self._bytes - size

    def give_back(self, size: int) -> None:
        self._lines, self._bytes = self._lines + 1, self._bytes + size
        self._freed.set()
