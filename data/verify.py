"""Are the files of a dataset here, and are they the catalog's?"""

from hashlib import file_digest
from pathlib import Path

from data.catalog import CatalogFile, Dataset

__all__ = ["dataset_state", "digest_of", "file_state"]


def digest_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def file_state(path: Path, file: CatalogFile) -> str:
    """Return "present", "missing" or "altered"."""
    if not path.is_file():
        return "missing"
    same = path.stat().st_size == file.bytes and digest_of(path) == file.sha256
    return "present" if same else "altered"


def dataset_state(data_dir: Path, dataset: Dataset) -> tuple[str, dict[str, str]]:
    """Return a dataset's state and those of its files.

    "altered" if any file is, else "missing" if any file that a reader needs is, else "present".
    """
    files = {file.name: file_state(data_dir / dataset.name / file.name, file) for file in dataset.files}
    needed = {files[file.name] for file in dataset.files if file.required}
    if "altered" in files.values():
        return "altered", files
    return ("missing" if "missing" in needed else "present"), files
