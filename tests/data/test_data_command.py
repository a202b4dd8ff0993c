"""`counterpoint data` as a user runs it, against a real server on loopback."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.data import app


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str, data_dir: Path | None = None) -> Result:
    return CliRunner().invoke(
        app, arguments, env={"COUNTERPOINT_DATA_DIR": str(data_dir) if data_dir else None}
    )


def test_help_teaches_with_an_example() -> None:
    for command in ((), ("list",), ("fetch",), ("verify",)):
        result = run(*command, "--help")
        assert result.exit_code == 0
        assert "Example:" in result.output


def test_list_works_without_a_data_folder() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert "stance/arc" in result.output
    assert "a mirror only" in result.output
    assert "COUNTERPOINT_DATA_DIR" in result.output


def test_list_tells_what_is_missing_and_altered(tiny_data: Path) -> None:
    shutil.rmtree(tiny_data / "stance/fnc-1")
    result = run("list", "--json", data_dir=tiny_data)
    states = {item["name"]: item["status"] for item in json.loads(result.stdout)}
    assert len(states) == 22
    assert states["stance/fnc-1"] == "missing"
    assert states["civility/davidson-2017"] == "altered"


def test_list_refuses_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    result = run("list", data_dir=tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "nowhere does not exist" in str(result.exception)


def test_fetch_without_a_mirror_names_what_cannot_be_had(tmp_path: Path) -> None:
    result = run("fetch", "argkp-2021", "--to", str(tmp_path))
    assert result.exit_code == 1
    assert "has no public address" in result.stderr
    assert "0 of 1 files" in result.stdout


def test_fetch_tries_every_file_and_tells_every_failure(tmp_path: Path, file_server: Any) -> None:
    result = run("fetch", "fnc-1", "arct-reasons", "--to", str(tmp_path), "--mirror", file_server.address)
    assert result.exit_code == 1
    assert result.stderr.count("does not exist on the server") == 5
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_fetch_wants_names_or_all(tmp_path: Path) -> None:
    assert run("fetch", "--to", str(tmp_path)).exit_code == 2
    assert run("fetch", "arc", "--all", "--to", str(tmp_path)).exit_code == 2
    assert run("fetch", "arc").exit_code == 2


def test_verify_fails_on_altered_and_missing_files(tiny_data: Path) -> None:
    result = run("verify", "arc", "told-br", data_dir=tiny_data)
    assert result.exit_code == 1
    assert "2 of 2 datasets are not whole" in result.stderr
    assert "arc_bodies.csv" in result.stdout
    assert "altered" in result.stdout


def test_everything_is_fetched_from_a_server_of_the_real_files(
    real_data: Path, tmp_path: Path, file_server: Any
) -> None:
    file_server.folder = real_data
    file_server.faults = ["half", "", "503", "unannounced half"]
    result = run("fetch", "--all", "--to", str(tmp_path), "--mirror", file_server.address)
    assert result.exit_code == 0, result.stderr
    assert run("verify", data_dir=tmp_path).exit_code == 0
    states = json.loads(run("list", "--json", data_dir=tmp_path).stdout)
    assert {item["status"] for item in states} == {"present"}
    asked = len(file_server.requests)
    again = run("fetch", "arc", "fnc-1", "--to", str(tmp_path), "--mirror", file_server.address)
    assert again.exit_code == 0
    assert len(file_server.requests) == asked


def test_a_real_set_with_one_wrong_file_is_told_and_mended(
    real_data: Path, tmp_path: Path, file_server: Any
) -> None:
    file_server.folder = real_data
    file_server.faults = ["wrong"]
    arguments = ("fetch", "perspectrum", "--to", str(tmp_path), "--mirror", file_server.address)
    first = run(*arguments)
    assert first.exit_code == 1
    assert first.stderr.count("is not the file that the catalog describes") == 1
    assert "3 of 4 files" in first.stdout
    assert run("verify", "perspectrum", data_dir=tmp_path).exit_code == 1
    assert run(*arguments).exit_code == 0
    assert run("verify", "perspectrum", data_dir=tmp_path).exit_code == 0
