"""The database's password may lie in a file."""

from pathlib import Path

import pytest

from app.errors import SettingsError
from app.settings import Settings
from app.store.address import database_url

URL = "postgresql://counterpoint@host/counterpoint"


def test_the_password_comes_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p@ss/word:7\n", encoding="utf-8")
    found = database_url(Settings(database_url=URL, database_password_file=file))
    assert found == "postgresql://counterpoint:p%40ss%2Fword%3A7@host/counterpoint"
    assert database_url(Settings(database_url=URL)) == URL


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", None])
def test_a_file_without_a_password_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"COUNTERPOINT_DATABASE_PASSWORD_FILE: .*password"):
        database_url(Settings(database_url=URL, database_password_file=file))
