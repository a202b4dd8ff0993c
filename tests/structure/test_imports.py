"""The five rooms: imports run one way only."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"app", "data", "models", "training"}
MAY_IMPORT = {
    "data": set[str](),
    "models": set[str](),
    "training": {"data", "models"},
    "app": {"models"},
}
MAY_IMPORT_MORE = {"app/cli": {"data", "training"}}


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported_rooms(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module or ""]
        else:
            continue
        yield from (room for name in names if (room := name.split(".")[0]) in ROOMS)


def allowed_for(path: Path) -> set[str]:
    place = path.relative_to(ROOT).as_posix()
    room = place.split("/")[0]
    more = [rooms for folder, rooms in MAY_IMPORT_MORE.items() if place.startswith(f"{folder}/")]
    return {room} | MAY_IMPORT[room].union(*more)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert set(imported_rooms(tree)) <= allowed_for(path)


def test_the_service_runs_without_data_and_training() -> None:
    script = "import sys, app.main, app.client; print(*{name.split('.')[0] for name in sys.modules})"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(found.stdout.split())
    assert {"app", "models"} <= loaded
    assert loaded.isdisjoint({"data", "training"})


def test_every_room_is_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in modules()} == ROOMS
    assert all((ROOT / folder).is_dir() for folder in MAY_IMPORT_MORE)
