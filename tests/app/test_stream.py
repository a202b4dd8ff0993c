"""A request a line in, an answer a line out, at the same time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.api.stream import Line, answer_lines, split_lines

Serve = Callable[..., AbstractContextManager[Any]]

NDJSON = {"Content-Type": "application/x-ndjson"}


def line_of(number: int) -> bytes:
    return json.dumps({"comment": {"text": f"This is comment number {number}.", "id": str(number)}}).encode()


def test_answers_and_problems_come_in_order(http: httpx.Client) -> None:
    lines = [
        line_of(1),
        b"",
        b"  \r",
        b"{broken",
        b"[1]",
        line_of(6),
        b'{"comment": {"text": ""}}',
        line_of(8),
    ]
    response = http.post("/v1/score/stream", content=b"\n".join(lines), headers=NDJSON)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/x-ndjson")
    answers = [json.loads(line) for line in response.text.splitlines()]
    assert [answer.get("status", 200) for answer in answers] == [200, 400, 422, 200, 422, 200]
    assert [answer.get("line") for answer in answers] == [None, 4, 5, None, 7, None]
    assert [answer["id"] for answer in answers if "model" in answer] == ["1", "6", "8"]


def test_an_empty_stream_has_an_empty_answer(http: httpx.Client) -> None:
    for body in (b"", b"\n\n \n"):
        response = http.post("/v1/score/stream", content=body, headers=NDJSON)
        assert (response.status_code, response.content) == (200, b"")


def test_a_line_over_its_limit_spoils_no_other(serve: Serve) -> None:
    with serve(max_line_bytes=1_000) as running:
        body = b"\n".join([line_of(1), b"x" * 5_000_000, line_of(3), b"y" * 1_001])
        response = httpx.post(
            f"{running.url}/v1/score/stream", content=body, headers=NDJSON, timeout=60, trust_env=False
        )
        first, long, third, last = map(json.loads, response.text.splitlines())
        assert (first["id"], third["id"]) == ("1", "3")
        assert [(problem["status"], problem["line"]) for problem in (long, last)] == [(413, 2), (413, 4)]
        assert "1000" in long["detail"]


async def _converse(url: str, lines: int) -> list[dict]:
    """Send line after line over a plain socket, reading answers at the same time."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST /v1/score/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())

    async def send() -> None:
        for number in range(lines):
            data = line_of(number) + b"\n"
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def receive() -> bytes:
        await reader.readuntil(b"\r\n\r\n")
        body = bytearray()
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        return bytes(body)

    _, body = await asyncio.gather(send(), receive())
    writer.close()
    await writer.wait_closed()
    return [json.loads(line) for line in body.splitlines()]


def test_twenty_thousand_lines(server_url: str) -> None:
    answers = asyncio.run(_converse(server_url, 20_000))
    assert [answer["id"] for answer in answers] == [str(number) for number in range(20_000)]


def test_an_answer_comes_before_the_next_line_is_sent(server_url: str) -> None:
    async def talk() -> list[str]:
        parts = urlsplit(server_url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST /v1/score/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        seen = []
        for number in range(5):
            data = line_of(number) + b"\n"
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            if number == 0:
                await reader.readuntil(b"\r\n\r\n")
            size = int(await reader.readline(), 16)
            seen.append(json.loads(await reader.readexactly(size))["id"])
            await reader.readexactly(2)
        writer.close()
        await writer.wait_closed()
        return seen

    assert asyncio.run(talk()) == ["0", "1", "2", "3", "4"]


def test_only_a_window_of_lines_is_in_flight() -> None:
    window, read, most = 16, 0, 0

    async def lines() -> AsyncIterator[Line]:
        nonlocal read
        for number in range(2_000):
            read += 1
            yield Line(number, str(number).encode())

    async def answer(line: Line) -> bytes:
        await asyncio.sleep(0)
        assert line.content is not None
        return line.content

    async def run() -> list[bytes]:
        nonlocal most
        answers = []
        async for one in answer_lines(lines(), answer, window, 1_000_000):
            most = max(most, read - len(answers))
            answers.append(one)
        return answers

    assert asyncio.run(run()) == [str(number).encode() for number in range(2_000)]
    assert 1 < most <= window


def test_only_so_many_bytes_are_in_flight() -> None:
    read = 0

    async def lines() -> AsyncIterator[Line]:
        nonlocal read
        for number in range(200):
            read += 1
            yield Line(number, b"x" * 100)

    async def answer(line: Line) -> bytes:
        await asyncio.sleep(0)
        return str(line.number).encode()

    async def run() -> int:
        answered, most = 0, 0
        async for _ in answer_lines(lines(), answer, 128, 450):
            most = max(most, read - answered)
            answered += 1
        assert answered == 200
        return most

    assert 1 < asyncio.run(run()) <= 5


def test_a_reader_who_leaves_ends_the_work() -> None:
    cancelled = []

    async def lines() -> AsyncIterator[Line]:
        for number in range(10):
            yield Line(number, b"x")

    async def answer(line: Line) -> bytes:
        if line.number == 0:
            return b"first"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(line.number)
            raise
        return b"never"

    async def run() -> None:
        answers = answer_lines(lines(), answer, 4, 1_000_000)
        async for one in answers:
            assert one == b"first"
            await asyncio.sleep(0)
            break
        await answers.aclose()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
    assert cancelled
    assert len(cancelled) <= 4


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_lines_do_not_depend_on_how_the_bytes_arrive(size: int) -> None:
    body = b"\n\nab\r\n  \ntoo long a line\ncd\n12345678\nend"

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    async def run() -> list[Line]:
        return [line async for line in split_lines(chunks(), 8)]

    expected = [(3, b"ab\r"), (5, None), (6, b"cd"), (7, b"12345678"), (8, b"end")]
    assert [(line.number, line.content) for line in asyncio.run(run())] == expected
