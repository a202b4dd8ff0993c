"""Sentences written for this project: functional checks, and apart from them sentences to learn from.

`data/checks/civility/` and `data/checks/stance/` judge, one file a function; what lies below
`data/checks/training/` trains. They were written by different people who did not see each other's, and
no sentence stands in both.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ChecksError
from data.rows import ATTRIBUTES, STANCE_LABELS, CivilityRow, attribute_values, text_group

__all__ = [
    "CONTRAST_SOURCE",
    "CheckFunction",
    "StanceCase",
    "StanceFunction",
    "contrast_files",
    "contrast_rows",
    "load_civility_checks",
    "load_stance_checks",
]

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


@dataclass(frozen=True, slots=True)
class StanceCase:
    """A comment, its label towards the premise, and the opposite premise, towards which sides swap."""

    premise: str
    opposite: str
    text: str
    label: str

    @property
    def mirrored(self) -> "StanceCase":
        """The same comment under the opposite premise."""
        swapped = {"agree": "disagree", "disagree": "agree"}.get(self.label, self.label)
        return StanceCase(self.opposite, self.premise, self.text, swapped)


@dataclass(frozen=True, slots=True)
class StanceFunction:
    """One thing that the stance model must be able to read, and the cases that show whether it can."""

    name: str
    title: str
    about: str
    cases: tuple[StanceCase, ...]


def load_stance_checks(folder: Path = _CHECKS / "stance") -> list[StanceFunction]:
    """Return the functional checks of stance, by name.

    Raises:
        ChecksError: a file is not TOML, or lacks or misuses a field.
    """
    return [_stance_function(path) for path in sorted(folder.glob("*.toml"))]


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


def _stance_function(path: Path) -> StanceFunction:
    found = _read(path)
    title, about, cases = found.get("title"), found.get("about"), found.get("cases")
    if not isinstance(title, str) or not isinstance(about, str) or not isinstance(cases, list):
        raise ChecksError(f"{path}: title and about must be strings, cases a list")
    return StanceFunction(path.stem, title, about, tuple(_case(case, path) for case in cases))


def _case(case: dict[str, Any], path: Path) -> StanceCase:
    premise, opposite, text, label = (case.get(name) for name in ("premise", "opposite", "text", "label"))
    if not _strings([premise, opposite, text]) or label not in STANCE_LABELS:
        raise ChecksError(
            f"{path}: each [[cases]] needs premise, opposite, text and one label of {STANCE_LABELS}"
        )
    return StanceCase(str(premise), str(opposite), str(text), str(label))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ChecksError(f"{path} cannot be read: {error}") from error


def _strings(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)
