"""Every line that a request causes carries its id."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

Serve = Callable[..., AbstractContextManager[Any]]


def test_a_line_tells_which_request_caused_it(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"comment": {"text": "Rosebud was his sledge."}, "article": {"id": "a"}, "store": "text"}
    with serve(open=True, database_url=f"sqlite:///{tmp_path / 'missing' / 'store.sqlite3'}") as running:
        headers = {"X-Request-ID": "asked-7"}
        answer = httpx.post(f"{running.url}/v1/score", json=body, headers=headers, trust_env=False)
        assert answer.headers["X-Request-ID"] == "asked-7"
        odd = {"X-Request-ID": "two words"}
        livez = httpx.get(f"{running.url}/livez", headers=odd, trust_env=False)
        assert livez.headers["X-Request-ID"].isalnum()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    caused = [line for line in lines if line.get("request_id") == "asked-7"]
    assert {line["logger"] for line in caused} == {"counterpoint.access", "counterpoint.service"}
    assert any("not stored" in line["message"] for line in caused)
    assert not any("Rosebud" in str(line) for line in lines)
