"""No address that somebody else chooses makes the service fetch from where it should not.

Real sites on addresses of loopback; only the answers of the name servers are the tests' own.
"""

import asyncio
import ipaddress
import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.integrations.addresses import is_public
from app.integrations.headline import fetch_headline
from tests.support.sites import Site, certificate_for, site

Serve = Callable[..., AbstractContextManager[Any]]
HOST = "news.example"
PAGES = {
    "/story": (200, "<title>Ban cars from the square</title>"),
    "/again": (302, "/story"),
    "/thrice": (302, "/twice"),
    "/twice": (302, "/again"),
}
INSIDE = {"/story": (200, "<title>The secret of the house</title>")}
SECOND = [ipaddress.ip_network("127.0.0.2/32")]


class Names:
    """What the name servers say of `news.example`: an answer a question, and at the end the last again."""

    def __init__(self) -> None:
        self.answers: list[list[str]] = []
        self.asked = 0
        self._real = socket.getaddrinfo

    def getaddrinfo(self, host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host not in {HOST, HOST.encode()}:
            return self._real(host, port, *rest, **more)
        self.asked += 1
        [answer, *others] = self.answers
        self.answers = others or [answer]
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        more_of = {4: (port or 0,), 6: (port or 0, 0, 0)}
        versions = [(ipaddress.ip_address(one).version, one) for one in answer]
        return [(family[v], socket.SOCK_STREAM, 6, "", (one, *more_of[v])) for v, one in versions]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    known = Names()
    monkeypatch.setattr(socket, "getaddrinfo", known.getaddrinfo)
    return known


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    """One at 127.0.0.1, inside, and one at 127.0.0.2, on the same port."""
    with ExitStack() as running:
        inside = running.enter_context(site(INSIDE))
        yield inside, running.enter_context(site(PAGES, "127.0.0.2", inside.port))


def headline(port: int, path: str = "/story", networks: Any = SECOND, scheme: str = "http") -> str | None:
    place = f"{HOST}:{port}"
    return asyncio.run(fetch_headline(f"{scheme}://{place}{path}", [place], networks))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.8.8.8",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.5",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::7f00:1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%2",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808"],
)
def test_what_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_host_that_leads_inside_is_not_asked(
    names: Names, sites: tuple[Site, Site], caplog: pytest.LogCaptureFixture
) -> None:
    inside, outside = sites
    logging.getLogger("counterpoint.integrations").addHandler(caplog.handler)
    for answer in (["127.0.0.1"], ["::1"], ["127.0.0.2", "127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"]):
        names.answers = [answer]
        assert headline(inside.port) is None
        assert f"{HOST} leads to {answer[-1]}, which is not public" in caplog.text
    assert "COUNTERPOINT_CORAL_STORY_NETWORKS can allow it" in caplog.text
    assert inside.visits == outside.visits == []
    logging.getLogger("counterpoint.integrations").removeHandler(caplog.handler)


def test_a_network_that_is_allowed_is_asked_by_the_name(names: Names, sites: tuple[Site, Site]) -> None:
    _, outside = sites
    names.answers = [["127.0.0.2"]]
    assert headline(outside.port) == "Ban cars from the square"
    assert outside.visits == [(f"{HOST}:{outside.port}", "/story")]


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    names: Names, sites: tuple[Site, Site]
) -> None:
    inside, outside = sites
    names.answers = [["127.0.0.2"], ["127.0.0.1"]]  # a name server that answers otherwise the second time
    assert headline(outside.port) == "Ban cars from the square"
    assert (names.asked, inside.visits) == (1, [])


@pytest.mark.parametrize(("path", "good"), [("/again", 1), ("/thrice", 1), ("/thrice", 3)])
def test_a_redirect_is_looked_at_like_the_first_address(
    names: Names, sites: tuple[Site, Site], path: str, good: int
) -> None:
    inside, outside = sites
    names.answers = [["127.0.0.2"]]
    assert headline(outside.port, path) == "Ban cars from the square"
    names.answers = [["127.0.0.2"]] * good + [["127.0.0.1"]]
    assert headline(outside.port, path) is None
    assert inside.visits == []


def test_the_next_address_is_asked_where_one_takes_no_connection(names: Names) -> None:
    with site(PAGES, "127.0.0.2") as running:
        names.answers = [["127.0.0.3", "127.0.0.2"]]
        assert headline(running.port, networks=[ipaddress.ip_network("127.0.0.2/31")]) is not None
        names.answers = [["127.0.0.3"]]
        assert headline(running.port, networks=[ipaddress.ip_network("127.0.0.2/31")]) is None


def test_a_certificate_has_to_be_that_of_the_name(
    names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.answers = [["127.0.0.2"]]
    for name, found in ((HOST, "Ban cars from the square"), ("other.example", None)):
        own, authority = certificate_for(name, tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        with site(PAGES, "127.0.0.2", certificate=own) as running:
            assert headline(running.port, scheme="https") == found


def test_no_proxy_of_the_environment_is_asked_instead(
    names: Names, sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = sites
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{inside.port}")
    names.answers = [["127.0.0.2"]]
    assert headline(outside.port) == "Ban cars from the square"
    assert inside.visits == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0", "2130706433"])
def test_a_service_does_not_ask_itself_even_where_the_operator_lists_it(
    serve: Serve, secrets: dict, post_coral: Callable[..., httpx.Response], host: str
) -> None:
    with site(INSIDE) as inside:
        place = f"{host}:{inside.port}"
        with serve(**secrets, coral_story_hosts=[place]) as running:
            data = {"storyID": "s", "storyURL": f"http://{place}/story", "siteID": "x"}
            created = datetime.now(UTC).isoformat()
            event = {"id": "e", "type": "STORY_CREATED", "data": data, "createdAt": created}
            with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http:
                answer = post_coral(http, "webhook", event)
        assert answer.json()["outcome"] == "no headline"
        assert inside.visits == []


def test_nothing_that_a_request_names_is_fetched(
    serve: Serve, secrets: dict, post_coral: Callable[..., httpx.Response]
) -> None:
    with site(INSIDE) as inside, serve(**secrets) as running:
        url = f"http://127.0.0.1:{inside.port}/story"
        text = f"I disagree with {url} and all it says."
        comment = {"text": text, "id": url}
        article = {"url": url, "id": url, "title": url, "text": url}
        attributes = {"TOXICITY": {}, "STANCE_AGREE": {}}
        scores = {"TOXICITY": {"summaryScore": {"value": 1}}}
        with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http:
            answers = [
                http.put("/v1/articles/a", json={"premise": "Ban cars.", "url": url, "title": url}),
                http.post("/v1/score", json={"comment": comment, "article": article, "store": "text"}),
                http.post(
                    "/v1/feedback", json={"comment": comment, "article": article, "labels": {"INSULT": 1}}
                ),
                http.post("/v1/moderations", json={"input": url}),
            ]
            for context in (url, json.dumps({"url": url})):
                asked = {"comment": {"text": text}, "context": {"entries": [{"text": context}]}}
                analyze = asked | {"requestedAttributes": attributes}
                suggest = asked | {"attributeScores": scores}
                answers.append(http.post("/v1alpha1/comments:analyze", json=analyze))
                answers.append(http.post("/v1alpha1/comments:suggestscore", json=suggest))
            story = {"id": "story-1", "url": url}
            phase = {"action": "NEW", "comment": {"body": text}, "story": story}
            answers.append(post_coral(http, "phase", phase))
            assert {answer.is_success for answer in answers} == {True}, [a.text for a in answers]
            images = [{"type": "image_url", "image_url": {"url": url}}]
            assert http.post("/v1/moderations", json={"input": images}).status_code == 400
        assert inside.visits == []
