"""`counterpoint store` and `counterpoint feedback`, and the client's methods, against the real parts."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.client import AsyncClient, Client
from app.errors import RequestRefused
from app.store import Store
from app.store.comments import StoredComment

Make = Callable[..., StoredComment]
OPINION = {"comment": {"text": "What a fool."}, "labels": {"INSULT": 1}, "source": "client"}


@pytest.fixture
def invoke(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("COUNTERPOINT_DATABASE_URL", database_url)

    def run(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(map(str, arguments)))
        assert result.exit_code == code, result.output + repr(result.exception)
        return result.output

    return run


def test_prune_export_and_import(
    invoke: Callable[..., str], store: Store, comment: Make, tmp_path: Path
) -> None:
    store.comments.keep([comment("Old."), comment("Ever.", hour=24 * 365 * 20)])
    for name in ("x.jsonl", "parquet"):
        assert "2 rows in" in invoke("store", "export", tmp_path / name)
    assert (tmp_path / "x.jsonl").stat().st_mode & 0o077 == 0
    assert "exists" in invoke("store", "export", tmp_path / "x.jsonl", code=2)
    shown = json.loads(invoke("store", "show", "--json"))
    assert shown["tables"]["comments"]["rows"] == 2
    assert shown["tables"]["comments"]["oldest"] == "2026-11-02T09:30:00+00:00"
    assert "comments: 1 rows" in invoke("store", "prune", "--older-than", "2027-01-01", "--dry-run")
    assert "comments: 1 rows" in invoke("store", "prune", "--older-than", "2027-01-01")
    assert "comments: 0 rows" in invoke("store", "prune", "--older-than", "2027-01-01")
    assert "0 articles, 2 comments, 0 feedback" in invoke("store", "import", tmp_path / "parquet")
    assert json.loads(invoke("store", "show", "--json"))["tables"]["comments"]["rows"] == 2
    for age in ("soon", "90"):
        invoke("store", "prune", "--older-than", age, code=2)


def test_feedback_from_the_command_line(invoke: Callable[..., str], server: Any, tmp_path: Path) -> None:
    store, place = server.service.store, tmp_path.name  # the server is shared, so each run is a community
    told = [
        "Silly hat.",
        "--label",
        "INSULT=0",
        "--stance",
        "agree",
        "--premise",
        "Hats.",
        "--url",
        server.url,
    ]
    assert invoke("feedback", *told, "--community", place) == "1 kept\n"
    (kept,) = store.judged.iterate(community=place)
    assert (kept.text, kept.premise, kept.feedback.stance) == ("Silly hat.", "Hats.", "agree")
    lines = [
        json.dumps(OPINION | {"community": f"{place} file", "comment": {"text": f"No {n}"}})
        for n in range(203)
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    for _ in range(2):  # sent again, it is kept once
        assert invoke("feedback", "--file", tmp_path / "x.jsonl", "--url", server.url) == "203 kept\n"
    assert len(list(store.feedback.iterate(community=f"{place} file", every=True))) == 203
    invoke("feedback", "x", "--label", "INSULT", "--url", server.url, code=2)
    invoke("feedback", code=2)


def test_the_clients(server: Any) -> None:
    with Client(server.url) as client:
        client.put_article("clients", "Ban cars.")
        answer = client.score("I disagree.", article_id="clients", id="c1", store="text")
        assert answer.stored == "text"
        first = client.give_feedback([OPINION, OPINION], key="the same")
        assert client.give_feedback([OPINION, OPINION], key="the same") == first
        assert client.give_feedback([OPINION]).ids != first.ids[:1]
        with pytest.raises(RequestRefused, match="labels is required"):
            client.give_feedback([{"comment": {"text": "x"}}])
        summary = client.article_summary("clients", by="hour")
        assert summary.comments == 1

    async def ask() -> None:
        async with AsyncClient(server.url) as client:
            assert await client.article_summary("clients", by="hour") == summary
            assert len((await client.give_feedback([OPINION])).ids) == 1

    asyncio.run(ask())
