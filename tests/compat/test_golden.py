"""The bytes on the wire, file by file in golden/: a request, a line of dashes, the answer.

Scores are written #, since they are the model's and not the protocol's; so are lengths and boundaries.
"""

import re
from pathlib import Path

import httpx
import pytest

GOLDEN = Path(__file__).parent / "golden"
HEADERS = ("content-type", "x-counterpoint-model")
FILES = sorted(path.name for path in GOLDEN.glob("*.http"))


def send(http: httpx.Client, request: bytes) -> httpx.Response:
    head, _, body = request.partition(b"\n\n")
    first, *lines = head.decode().split("\n")
    method, target = first.split(" ", 1)
    headers = dict(line.split(": ", 1) for line in lines)
    return http.request(method, target, headers=headers, content=body.removesuffix(b"\n"))


def written(response: httpx.Response) -> bytes:
    headers = [f"{name}: {response.headers[name]}" for name in HEADERS if name in response.headers]
    text = b"\n".join(
        [str(response.status_code).encode(), *(h.encode() for h in headers), b"", response.content]
    )
    text = re.sub(rb'("value": ?|"[a-z/-]+":)(?:0\.\d{1,4}|1\.0)(?=[\n,}])', rb"\1#", text)
    text = re.sub(rb"batch_[A-Za-z0-9_-]+", b"batch_#", text)
    return re.sub(rb"(Content-Length: |modr-)[0-9a-f]+", rb"\1#", text)


@pytest.mark.parametrize("name", FILES)
def test_the_answer_is_the_one_on_file(http: httpx.Client, name: str) -> None:
    request, answer = (GOLDEN / name).read_bytes().split(b"----------\n")
    assert written(send(http, request)) == answer


def test_there_are_files() -> None:
    assert len(FILES) >= 10
