"""The Python client against the real service, and against servers that fail."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from app.client import AsyncClient, Client
from app.errors import ClientError, RequestRefused, ServiceUnavailable
from app.exchange import Attempts, timeout_for
from app.schemas import Problem, ScoreAnswer, ScoreRequest
from tests.support.background import in_background

REQUEST = {"comment": {"text": "Well said.", "id": "one"}, "article": {"premise": "Ban cars"}}


@pytest.fixture
def client(server_url: str) -> Iterator[Client]:
    with Client(server_url) as client:
        yield client


def test_score_takes_everything_that_may_be_known(client: Client) -> None:
    answer = client.score(
        "No, this is wrong, the shops need cars.",
        id="c1",
        language="en",
        parent="Ban them all.",
        premise="Ban cars",
        title="Cars",
        url="https://news.example/cars",
        article_id="cars",
        article_text="Cars are loud.",
        explain=True,
    )
    assert answer.id == "c1"
    assert answer.stance is not None
    assert answer.stance.premise == "Ban cars"
    assert answer.reply_stance is not None
    assert answer.reply_stance.premise == "Ban them all."
    assert answer.spans is not None


def test_several_claims_and_sentences(client: Client) -> None:
    answer = client.score("Nonsense. The shops need cars.", premise=["Ban cars", "Ban phones"], explain=True)
    assert answer.stances is not None
    assert [stance and stance.premise for stance in answer.stances] == ["Ban cars", "Ban phones"]
    assert answer.stances[0] == answer.stance
    assert answer.stance is not None
    assert answer.stance.premise_source == "premise"
    assert answer.stance.sentences is not None
    assert len(answer.stance.sentences) == 2


def test_requests_as_schemas_and_as_mappings_are_the_same(client: Client) -> None:
    assert client.score_request(REQUEST) == client.score_request(ScoreRequest.model_validate(REQUEST))
    assert client.score_request(REQUEST) == client.score("Well said.", id="one", premise="Ban cars")


def test_a_batch_of_any_size_is_answered_in_order(client: Client) -> None:
    items = [{"comment": {"text": f"Comment {n}", "id": str(n)}} for n in range(2_345)]
    items[1_234] = {"comment": {"text": ""}}
    answers = client.score_batch(items)
    assert isinstance(answers[1_234], Problem)
    assert answers[1_234].errors[0].message == "is empty"
    assert [answer.id for answer in answers if isinstance(answer, ScoreAnswer)] == [
        str(n) for n in range(2_345) if n != 1_234
    ]
    assert client.score_batch([]) == []


def test_a_large_batch_is_split_by_bytes_too(client: Client) -> None:
    text = "A long article. " * 60_000
    items = [{"comment": {"text": "Well said."}, "article": {"text": text}} for _ in range(30)]
    assert all(isinstance(answer, ScoreAnswer) for answer in client.score_batch(items))


def test_a_stream_holds_no_more_than_a_portion(client: Client) -> None:
    taken, most = 0, 0

    def comments() -> Iterator[dict]:
        nonlocal taken
        for n in range(1_050):
            taken += 1
            yield {"comment": {"text": f"Comment {n}", "id": str(n)}}

    answered = 0
    for answer in client.stream(comments(), portion=100):
        most = max(most, taken - answered)
        assert answer.id == str(answered)
        answered += 1
    assert (answered, most) == (1_050, 100)


def test_articles(client: Client) -> None:
    for article_id in ("of/the client?", "..", "."):
        record = client.put_article(article_id, "Ban cars", url="https://news.example/c", title="Cars")
        assert record.id == article_id
        assert client.get_article(article_id) == record
        client.delete_article(article_id)
        with pytest.raises(RequestRefused) as refusal:
            client.get_article(article_id)
        assert refusal.value.problem.status == 404


def test_an_article_with_several_claims(client: Client) -> None:
    claims = ["Ban cars", "Ban phones"]
    record = client.put_article("claims of the client", claims)
    assert record.premise == claims
    assert client.get_article("claims of the client") == record
    answer = client.score("Nonsense. The shops need cars.", article_id="claims of the client")
    assert [stance and stance.premise for stance in answer.stances or []] == claims


def test_models(client: Client, bundle_path: Path) -> None:
    models = client.models()
    assert models.active == bundle_path.name
    assert len(models.models) == 2


def test_refusals_name_the_field(client: Client) -> None:
    with pytest.raises(RequestRefused, match=r"comment\.text is empty") as refusal:
        client.score(" ")
    assert refusal.value.problem.errors[0].field == "comment.text"
    with pytest.raises(RequestRefused, match=r"comment\.text must be a string"):
        client.score(5)  # type: ignore[arg-type]
    with pytest.raises(ClientError, match="JSON"):
        client.score("\ud800")


def test_the_async_client_does_the_same(client: Client, server_url: str, bundle_path: Path) -> None:
    async def comments() -> AsyncIterator[dict]:
        for _ in range(25):
            yield REQUEST

    async def use() -> None:
        async with AsyncClient(server_url) as other:
            expected = client.score_request(REQUEST)
            assert await other.score("Well said.", id="one", premise="Ban cars") == expected
            assert await other.score_batch([REQUEST] * 3) == [expected] * 3
            assert [answer async for answer in other.stream(comments(), portion=10)] == [expected] * 25
            assert [answer async for answer in other.stream([REQUEST] * 5)] == [expected] * 5
            assert (await other.models()).active == bundle_path.name
            record = await other.put_article("async", ["Ban cars", "Ban phones"])
            assert await other.get_article("async") == record
            await other.delete_article("async")
            with pytest.raises(RequestRefused):
                await other.get_article("async")
            answers = await asyncio.gather(*(other.score_request(REQUEST) for _ in range(30)))
            assert answers == [expected] * 30

    asyncio.run(use())


@contextmanager
def failing_server(*replies: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[str]]]:
    """Answer each request with the next reply, the last one again and again; None hangs up."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = replies[min(len(seen), len(replies) - 1)]
            seen.append(self.path)
            if status:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with in_background(server):
        yield f"http://127.0.0.1:{server.server_port}", seen


@pytest.fixture
def good_reply(client: Client) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, client.score_request(REQUEST).model_dump_json(exclude_unset=True).encode()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_service_is_asked_again(good_reply: tuple, status: int) -> None:
    busy = (status, {"Retry-After": "0"}, b"busy")
    with failing_server(busy, busy, good_reply) as (url, seen):
        with Client(url, backoff_s=3_600) as client:
            assert client.score_request(REQUEST).id == "one"
        assert len(seen) == 3
    with failing_server(busy, busy, good_reply) as (url, seen):

        async def use() -> str | None:
            async with AsyncClient(url, backoff_s=3_600) as client:
                return (await client.score_request(REQUEST)).id

        assert asyncio.run(use()) == "one"
        assert len(seen) == 3


def test_a_date_in_retry_after_is_understood(good_reply: tuple) -> None:
    past = (503, {"Retry-After": "Sat, 01 Jan 2000 00:00:00 GMT"}, b"")
    with failing_server(past, good_reply) as (url, seen), Client(url, backoff_s=3_600) as client:
        assert client.score_request(REQUEST).id == "one"
        assert len(seen) == 2


def test_a_lost_connection_is_tried_again(good_reply: tuple) -> None:
    with failing_server((0, {}, b""), good_reply) as (url, seen), Client(url, backoff_s=0) as client:
        assert client.score_request(REQUEST).id == "one"
        assert len(seen) == 2


def test_retries_come_to_an_end() -> None:
    with failing_server((503, {}, b"")) as (url, seen), Client(url, retries=3, backoff_s=0) as client:
        with pytest.raises(ServiceUnavailable, match="503"):
            client.score_request(REQUEST)
        assert len(seen) == 4


def test_other_errors_are_not_tried_again() -> None:
    for status, kind in ((501, ServiceUnavailable), (400, RequestRefused), (302, RequestRefused)):
        with failing_server((status, {}, b"<html>")) as (url, seen), Client(url, backoff_s=3_600) as client:
            with pytest.raises(kind, match=str(status)):
                client.score_request(REQUEST)
            assert len(seen) == 1


def test_nobody_there_is_told() -> None:
    with failing_server((200, {}, b"")) as (url, _):
        pass
    with Client(url, retries=1, backoff_s=0) as client, pytest.raises(ServiceUnavailable, match=url):
        client.score("x")
    with Client("localhost:8000") as client, pytest.raises(ServiceUnavailable, match="localhost"):
        client.score("x")


def test_another_kind_of_server_is_told() -> None:
    with (
        failing_server((200, {}, b"<html>hello</html>")) as (url, _),
        Client(url) as client,
        pytest.raises(ClientError, match="did not answer as a Counterpoint service"),
    ):
        client.score("x")


@pytest.fixture
def far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "XYZ10")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_west")
def test_a_date_without_a_zone_is_in_utc() -> None:
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S")
    busy = httpx.Response(503, headers={"Retry-After": an_hour_ago})
    assert Attempts(1, 1.0).pause_after(busy) == 0


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (httpx.ConnectError, True),
        (httpx.ConnectTimeout, True),
        (httpx.PoolTimeout, True),
        (httpx.RemoteProtocolError, True),
        (httpx.ReadTimeout, False),
        (httpx.WriteTimeout, False),
        (httpx.TooManyRedirects, False),
        (httpx.UnsupportedProtocol, False),
    ],
)
def test_only_what_may_not_have_begun_is_tried_again(error: type[httpx.RequestError], again: bool) -> None:
    assert (Attempts(1, 0.0).pause_after(error("lost")) is not None) is again


def test_a_batch_may_take_longer_than_a_single() -> None:
    single, batch = timeout_for("/v1/score", 10), timeout_for("/v1/score/batch", 10)
    assert (single.read, batch.read, batch.connect) == (10, 50, 10)
