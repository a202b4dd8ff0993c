"""Sentences written for this project: functional checks, and apart from them sentences to learn from.

`data/checks/civility/` judges, one file a function; `data/checks/training/civility/` trains. They
were written by different people who did not see each other's, and no sentence stands in both.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ChecksError
from data.rows import ATTRIBUTES, CivilityRow, attribute_values, text_group

__all__ = ["CONTRAST_SOURCE", "CheckFunction", "contrast_files", "contrast_rows", "load_civility_checks"]

CONTRAST_SOURCE = "contrast-sentences"
_CHECKS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class CheckFunction:
    """One thing that a model must be able to do, and the sentences that show whether it can.

    TOXICITY of each of `civil` must stay below 0.5, that of each of `toxic` must reach it.
    """

    name: str
    title: str
    about: str
    civil: tuple[str, ...]
    toxic: tuple[str, ...]


def load_civility_checks(folder: Path = _CHECKS / "civility") -> list[CheckFunction]:
    """Return the functional checks of civility, by name.

    Raises:
        ChecksError: a file is not TOML, or lacks or misuses a field.
    """
    return [_function(path) for path in sorted(folder.glob("*.toml"))]


def contrast_files() -> list[Path]:
    """Return the files of the sentences that train, by name."""
    return sorted((_CHECKS / "training" / "civility").glob("*.toml"))


def contrast_rows() -> list[CivilityRow]:
    """Return the sentences that train, every attribute known; each is a group of its own.

    Raises:
        ChecksError: a file is not TOML, or lacks or misuses a field.
    """
    return [row for path in contrast_files() for row in _rows(path)]


def _rows(path: Path) -> list[CivilityRow]:
    rows = []
    for sentences in _read(path).get("sentences", []):
        shown, texts = sentences.get("attributes"), sentences.get("texts")
        if not _strings(shown) or not _strings(texts) or set(shown) - set(ATTRIBUTES):
            raise ChecksError(f"{path}: each [[sentences]] needs texts, and attributes of {ATTRIBUTES}")
        known = attribute_values({name: float(name in shown) for name in ATTRIBUTES})
        rows += [CivilityRow(text, known, "en", CONTRAST_SOURCE, text_group(text)) for text in texts]
    return rows


def _function(path: Path) -> CheckFunction:
    found = _read(path)
    for name in ("title", "about"):
        if not isinstance(found.get(name), str):
            raise ChecksError(f"{path}: {name} must be a string")
    for name in ("civil", "toxic"):
        if not _strings(found.get(name)):
            raise ChecksError(f"{path}: {name} must be a list of strings")
    return CheckFunction(
        path.stem, found["title"], found["about"], tuple(found["civil"]), tuple(found["toxic"])
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ChecksError(f"{path} cannot be read: {error}") from error


def _strings(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)
