"""The clients and the command line give their key."""

import asyncio
import json
from typing import Any

import pytest

from app.client import AsyncClient, Client
from app.errors import ClientError, RequestRefused


def test_clients_give_their_key(keyed: Any) -> None:
    with Client(keyed.url, api_key=keyed.score) as client:
        assert client.score("Thank you.").civility is not None
        with pytest.raises(RequestRefused, match="lacks the scope feedback"):
            client.put_article("a", "Ban cars")

    async def ask() -> int:
        async with AsyncClient(keyed.url, api_key=keyed.score) as client:
            return len((await client.models()).models)

    assert asyncio.run(ask()) == 2
    with Client(keyed.url) as client, pytest.raises(RequestRefused) as refused:
        client.score("Thank you.")
    assert refused.value.problem.status == 401
    with pytest.raises(ClientError, match="characters that no key has"):
        Client(keyed.url, api_key="cp_x\r\nX-Evil: 1")


def test_the_command_line_reads_its_key_from_the_environment(keyed: Any, invoke: Any) -> None:
    asked = ("score", "Thank you.", "--url", keyed.url, "--json")
    told = invoke(*asked, COUNTERPOINT_API_KEY=keyed.score)
    assert json.loads(told.stdout)["model"] == "2026.2.0"
    with pytest.raises(RequestRefused, match="needs an API key"):
        invoke(*asked)
