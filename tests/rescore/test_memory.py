"""Memory does not grow with the size of an archive. RESCORE_MEMORY_ROWS makes it larger."""

import os
from pathlib import Path
from typing import Any

from tests.support.memory import peak_bytes

ROWS = int(os.environ.get("RESCORE_MEMORY_ROWS", "4000"))
CHARACTERS = 3_000


def peak(archive: Path, bundle: str, output: str) -> int:
    """Bytes of resident memory that scoring an archive takes at most."""
    command = ["rescore", str(archive), "--output", output, "--no-stance", "--workers", "1"]
    return peak_bytes([*command, "--bundle", bundle, "--part-bytes", "1000000"], archive.parent)


def test_ten_times_the_input_takes_no_more_memory(bench: Any, make: Any, write: Any) -> None:
    rows = make(ROWS)
    for row in rows:
        row["text"] = (row["text"] + " ") * (CHARACTERS // len(row["text"]))
    small = write(bench.folder / "small.jsonl", rows[: ROWS // 10])
    large = write(bench.folder / "large.jsonl", rows)
    more = peak(large, str(bench.model.folder), "large.csv") - peak(
        small, str(bench.model.folder), "small.csv"
    )
    assert more < (large.stat().st_size - small.stat().st_size) / 2
