"""What a model was trained on: for each set its licence, rows, and the digests of the files read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from data import CivilityRow, StanceRow, denials, identities, openers, shipped_catalog
from data.checks import contrast_files
from data.published import premise_files
from data.verify import digest_of
from data.written import written_files

__all__ = ["describe_own", "describe_sets", "merged"]

_OWN = {
    "identities": [identities.FILE],
    "denials": [denials.FILE],
    "openers": [openers.FILE],
    "contrasts": contrast_files(),
    "written-comments": written_files(),
    "published-comments": premise_files(),
}


def describe_sets(
    task: str, sources: Iterable[str], rows: Sequence[CivilityRow | StanceRow], data_dir: Path
) -> list[dict[str, Any]]:
    """Return an entry a public set.

    Args:
        task: "civility" or "stance".
        sources: names of the sets, without the task; those not in the catalog are passed over.
        rows: the rows read, of all splits.
        data_dir: where the files lie.
    """
    catalog = shipped_catalog()
    counts = Counter(row.source for row in rows)
    entries = []
    for source in sorted(sources):
        dataset = catalog.get(f"{task}/{source}")
        if dataset is None:
            continue
        folder = data_dir / dataset.name
        files = [file.name for file in dataset.files if file.required and (folder / file.name).is_file()]
        entries.append(
            {
                "name": dataset.name,
                "licence": dataset.licence,
                "rows": counts[source],
                "files": {name: digest_of(folder / name) for name in files},
            }
        )
    return entries


def describe_own(name: str, rows: int) -> dict[str, Any]:
    """Return the entry of what was written for this project, by its name in the card."""
    return {
        "name": f"counterpoint/{name}",
        "licence": "Apache-2.0",
        "rows": rows,
        "files": {file.name: digest_of(file) for file in _OWN[name]},
    }


def merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of both, the new ones winning, sorted by name."""
    by_name = {entry["name"]: entry for entry in (*old, *new)}
    return [by_name[name] for name in sorted(by_name)]
