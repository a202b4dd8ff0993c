"""`counterpoint keys`, and the secret under which keys are stored."""

import json
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.errors import NotFoundError, SettingsError


def test_a_key_is_shown_once_and_stored_nowhere(secret_file: Path, invoke: Any, tmp_path: Path) -> None:
    assert invoke("keys", "list").stdout.strip() == "no keys"
    made = invoke(
        "keys", "create", "Le Journal", "--scope", "score", "--scope", "feedback", "--rate", "90",
        "--expires", "52w", "--json",
    )  # fmt: skip
    told = json.loads(made.stdout)
    assert (told["scopes"], told["requests_a_minute"], told["state"]) == (["score", "feedback"], 90, "usable")
    secret = told["key"].rsplit("_", 1)[1]
    [listed] = json.loads(invoke("keys", "list", "--json").stdout)["keys"]
    assert listed == {name: value for name, value in told.items() if name != "key"}
    assert secret not in invoke("keys", "list").stdout
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("counterpoint.sqlite3*"))
    assert told["id"].encode() in stored
    assert secret.encode() not in stored
    assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600


def test_a_plain_key_stands_alone_on_standard_output(secret_file: Path, invoke: Any) -> None:
    made = invoke("keys", "create", "site")
    assert made.stdout.startswith("cp_")
    assert made.stdout.count("\n") == 1
    assert "shown this once" in made.stderr


def test_a_revoked_key_stays_listed(secret_file: Path, invoke: Any) -> None:
    key_id = json.loads(invoke("keys", "create", "site", "--json").stdout)["id"]
    assert invoke("keys", "revoke", key_id).stdout == f"{key_id} is revoked\n"
    [listed] = json.loads(invoke("keys", "list", "--json").stdout)["keys"]
    assert listed["state"] == "revoked"
    invoke("keys", "revoke", key_id)
    assert json.loads(invoke("keys", "list", "--json").stdout)["keys"] == [listed]
    with pytest.raises(NotFoundError, match="no key with the id nobody"):
        invoke("keys", "revoke", "nobody")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["site", "--scope", "root"], "root is none of score, feedback, admin"),
        (["site", "--rate", "0"], "greater than or equal to 1"),
        (["site", "--expires", "soon"], "give an age such as 90d"),
        (["site", "--expires", "2020-01-01"], "--expires is past"),
        ([" "], "NAME must have 1 to 128 printable characters"),
        (["two\nlines"], "NAME must have 1 to 128 printable characters"),
    ],
)
def test_what_is_no_key_is_told(secret_file: Path, invoke: Any, arguments: list[str], told: str) -> None:
    refused = invoke("keys", "create", *arguments)
    assert refused.exit_code == 2
    assert told in " ".join(refused.stderr.replace("│", " ").split())
    assert not secret_file.exists()


@pytest.mark.parametrize("content", ["", "short\n", "x" * 40 + "\nshort\n"])
def test_a_secret_that_is_too_short_is_refused(secret_file: Path, invoke: Any, content: str) -> None:
    secret_file.write_text(content)
    with pytest.raises(SettingsError, match="at least 32 characters"):
        invoke("keys", "create", "site")


def test_the_servers_secret_is_rotated(
    keyed_settings: Any, serve: Any, make_key: Any, until: Any, tmp_path: Path
) -> None:
    file = tmp_path / "secrets"
    file.write_text("o" * 40 + "\n")
    settings = keyed_settings(key_secret=None, key_secret_file=file)
    old = make_key(settings, "score")
    with serve(**settings.model_dump()) as running:

        def ask(key: str) -> int:
            headers = {"X-API-Key": key}
            return httpx.get(f"{running.url}/v1/models", headers=headers, trust_env=False).status_code

        until(lambda: ask(old) == 200)
        file.write_text("n" * 40 + "\n" + "o" * 40 + "\n")
        new = make_key(settings, "score")
        until(lambda: ask(new) == 200)
        assert ask(old) == 200
        file.write_text("n" * 40 + "\n")
        until(lambda: ask(old) == 503)  # it cannot be said that it is wrong
        assert ask(new) == 200
        assert "another" not in running.service.access.problem
        assert running.service.access.problem.startswith("some keys were made with a server secret")
