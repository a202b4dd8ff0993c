"""What manifests and paths say is printed, and never obeyed as markup."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

NAME = "2026.2.0"


def run(*arguments: str, **environment: str) -> Result:
    found = CliRunner().invoke(app, arguments, env={"COLUMNS": "400", "TERM": "dumb", **environment})
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


@pytest.fixture
def marked_up(bundle_path: Path, tmp_path: Path) -> Path:
    """A bundle in a folder, and with a manifest, full of brackets."""
    bundle = tmp_path / "[red]" / NAME
    shutil.copytree(bundle_path, bundle)
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["training_data"] = [{"name": "[x]arc[/x]", "licence": "CC [/] BY", "rows": 3}]
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return bundle


def test_a_bundle_is_shown_as_it_is_written(marked_up: Path) -> None:
    shown = run("models", "show", str(marked_up))
    assert "[x]arc[/x]" in shown.output
    assert "CC [/] BY" in shown.output


def test_a_problem_is_listed_as_it_is_written(marked_up: Path) -> None:
    (marked_up / "odd[red].joblib").write_bytes(b"")
    listed = run("models", "list", "--releases", str(marked_up.parent))
    assert listed.exit_code == 0
    assert "odd[red].joblib" in listed.output


@pytest.mark.parametrize("command", ["list", "verify"])
def test_the_data_folder_may_have_brackets(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "sets[" / "x]"
    folder.mkdir(parents=True)
    shown = run("data", command, "--data-dir", str(folder))
    assert "stance/arc" in shown.output
    assert "missing" in shown.output
    assert "[yellow]" not in shown.output
