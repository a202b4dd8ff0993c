"""Every module says which names are for others, sorted, and has them."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for room in ("app", "data", "models", "training")
    for path in (ROOT / room).rglob("*.py")
    if path.name not in {"__main__.py", "env.py"}  # run as scripts, the latter by Alembic
)


def isort_style(name: str) -> tuple[int, str]:
    """Order as ruff's RUF022: CONSTANTS, then Classes, then functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


@pytest.mark.parametrize("name", MODULES)
def test_all_is_defined_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)
    exported = module.__all__
    assert list(exported) == sorted(exported, key=isort_style)
    assert len(set(exported)) == len(exported)
    assert [export for export in exported if not hasattr(module, export)] == []


def _is_registered(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Routes and commands are reached through their router, not by name."""
    return any(
        isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) for call in node.decorator_list
    )


@pytest.mark.parametrize("name", MODULES)
def test_public_definitions_are_exported(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not _is_registered(node)
    }
    assert defined <= set(module.__all__)
