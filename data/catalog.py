"""The catalog of datasets: `catalog.toml` as objects, every field checked when it is read."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from data.errors import CatalogError, UnknownSetError, UnsafePathError
from data.rows import ATTRIBUTES, STANCE_LABELS

__all__ = ["CATALOG", "CatalogFile", "Dataset", "choose", "load_catalog", "shipped_catalog"]

CATALOG = Path(__file__).with_name("catalog.toml")
TASKS = ("civility", "stance")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One file of a dataset: its name in the set's folder, its size in bytes, its digest.

    `url` is the public address that serves these very bytes, `None` where none is known.
    """

    name: str
    bytes: int
    sha256: str
    url: str | None = None
    required: bool = True
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset; `name` is its folder below the data folder, "civility/…" or "stance/…"."""

    name: str
    title: str
    languages: tuple[str, ...]
    licence: str
    citation: tuple[str, ...]
    files: tuple[CatalogFile, ...]
    rows: int
    labels: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    licence_url: str | None = None
    homepage: str | None = None
    repository: str | None = None
    derived: str | None = None
    training: str | None = None
    note: str | None = None

    @property
    def task(self) -> str:
        """Return "civility" or "stance"."""
        return self.name.split("/")[0]

    @property
    def source(self) -> str:
        """Return the folder's own name, which rows carry as `source`."""
        return self.name.split("/")[1]


def load_catalog(path: Path = CATALOG) -> dict[str, Dataset]:
    """Read a catalog; keys are the datasets' names, in the catalog's order.

    Raises:
        CatalogError: it is not TOML, or a field is missing, unknown or wrong.
        UnsafePathError: a name leads outside the data folder.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise CatalogError(f"{path.name} cannot be read: {fault}") from fault
    address = content.get("public", {}).get("address", "")
    datasets = [_dataset(table, str(address)) for table in content.get("dataset", [])]
    if not datasets:
        raise CatalogError(f"{path.name} names no dataset")
    return {dataset.name: dataset for dataset in datasets}


@cache
def shipped_catalog() -> Mapping[str, Dataset]:
    """Return the catalog that ships with the project."""
    return MappingProxyType(load_catalog())


def choose(
    names: Iterable[str], catalog: Mapping[str, Dataset] | None = None, *, task: str | None = None
) -> list[Dataset]:
    """Return the datasets of these names ("stance/arc" or "arc") in the catalog's order; all for none.

    Raises:
        UnknownSetError: a name is not in the catalog, or not of this task.
    """
    known = shipped_catalog() if catalog is None else catalog
    datasets = [dataset for dataset in known.values() if task in (None, dataset.task)]
    wanted = set(names)
    unknown = wanted - {dataset.name for dataset in datasets} - {dataset.source for dataset in datasets}
    if unknown:
        kind = f"{task} dataset" if task else "dataset"
        raise UnknownSetError(f"No {kind} is called {min(unknown)!r}; `counterpoint data list` names all.")
    return [dataset for dataset in datasets if not wanted or wanted & {dataset.name, dataset.source}]


def _dataset(table: dict[str, Any], address: str) -> Dataset:
    name = str(table.get("name", "?"))
    if name.count("/") != 1 or name.split("/")[0] not in TASKS:
        raise CatalogError(f"The dataset {name!r} is not called civility/… or stance/…")
    _refuse_unsafe(name)
    fields = dict(table)
    try:
        files = tuple(_file(entry, name, fields.get("repository"), address) for entry in fields.pop("files"))
        for plural in ("languages", "citation"):
            fields[plural] = tuple(fields[plural])
        dataset = Dataset(files=files, **fields)
    except (KeyError, TypeError) as fault:
        raise CatalogError(f"The dataset {name} lacks or misuses a field: {fault}") from fault
    if not (dataset.files and dataset.licence and dataset.citation and dataset.rows > 0):
        raise CatalogError(f"The dataset {name} needs files, a licence, a citation and a number of rows")
    _check_labels(dataset)
    return dataset


def _file(entry: dict[str, Any], dataset: str, repository: str | None, address: str) -> CatalogFile:
    fields = dict(entry)
    path, commit = fields.pop("path", None), fields.pop("commit", None)
    url = None
    if path and commit and repository:
        url = address.format(repository=repository, commit=commit, path=quote(path))
    file = CatalogFile(url=url, **fields)
    _refuse_unsafe(f"{dataset}/{file.name}")
    if not _DIGEST.fullmatch(file.sha256) or file.bytes < 0:
        raise CatalogError(f"{dataset}/{file.name} has no valid sha256 or size")
    return file


def _refuse_unsafe(path: str) -> None:
    if not all(_SAFE_NAME.fullmatch(part) for part in PurePosixPath(path).parts) or "//" in path:
        raise UnsafePathError(f"The catalog names the path {path!r}, which may lead outside the data folder")


def _check_labels(dataset: Dataset) -> None:
    named: list[str] = list(dataset.labels.values())
    known: tuple[str, ...] = STANCE_LABELS
    if dataset.task == "civility":
        known = ATTRIBUTES
        named = [name for attributes in dataset.labels.values() for name in attributes]
        named += dataset.columns.values()
    unknown = [name for name in named if name not in known]
    if unknown:
        raise CatalogError(f"The dataset {dataset.name} maps a label to {unknown[0]!r}")
