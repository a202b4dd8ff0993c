"""From finished parts to the output: in order, without ids that came before, whole or not at all."""

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from pydantic_core import from_json, to_json

from app.rescore.errors import OutputError
from app.rescore.files import whole_file
from app.rescore.identities import DuplicateId, find_duplicates
from app.rescore.job import Job, Kind, Part
from app.rescore.table import COLUMNS, columns_of
from app.rescore.writing import open_writer, read_back

__all__ = ["Joined", "join", "kind_of_output"]

_BLOCK = 1 << 20
_ROWS_AT_ONCE = 1_024
_ID, _DECISION = list(COLUMNS).index("id"), list(COLUMNS).index("decision")
_NUMBER = re.compile(r"(?<![\w-])\d[\d,.]*")
_KINDS: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
_PACKED = (".gz", ".zst")

Repeated = dict[int, list[DuplicateId]]


@dataclass(slots=True)
class Joined:
    """What the output and the rejects file hold."""

    rows: int = 0
    rejects: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Rejects by reason, numbers in it left out."""
    decisions: Counter[str] = field(default_factory=Counter)


def kind_of_output(output: Path) -> Kind:
    """Return the format that the name of an output asks for.

    Raises:
        OutputError: none that can be written.
    """
    name = output.name.lower()
    plain = next((name.removesuffix(ending) for ending in _PACKED if name.endswith(ending)), name)
    kind = _KINDS.get(Path(plain).suffix)
    if kind is None or (plain != name and kind == "parquet"):
        wanted = ", ".join(_KINDS)
        raise OutputError(
            f"{output.name}: the output must end with {wanted}; lines may be packed as .gz or .zst"
        )
    return kind


def join(
    job: Job, parts: Sequence[Part], output: Path, rejects: Path, progress: Callable[[int], None]
) -> Joined:
    """Write the output and the rejects file; the latter only where there are rejects.

    Args:
        job: a run whose parts are all finished.
        parts: its parts.
        output: compressed where its name ends with .gz or .zst.
        rejects: JSON lines.
        progress: called with the number of parts done since the last call.

    Raises:
        OutputError: one of them cannot be written.
    """
    joined = Joined()
    repeated = _repeated(job, parts)
    with whole_file(rejects) as file:
        for part in parts:
            file.writelines(_rejects_of(job, part, parts, repeated.get(part.index, []), joined))
    if not joined.rejects:
        rejects.unlink()
    with whole_file(output) as file, _packing(file, output) as packed:
        _join_rows(job, parts, repeated, packed, joined, progress)
    return joined


def _repeated(job: Job, parts: Sequence[Part]) -> Repeated:
    """The rows whose id came before, by the number of their part; the first part's number is made one too."""
    numbers = [part.index for part in parts if job.part_file(part.index, "ids").stat().st_size]
    found = find_duplicates([job.part_file(number, "ids") for number in numbers])
    return {
        numbers[place]: [one._replace(first_part=numbers[one.first_part]) for one in rows]
        for place, rows in found.items()
    }


def _join_rows(
    job: Job,
    parts: Sequence[Part],
    repeated: Repeated,
    file: IO[bytes],
    joined: Joined,
    progress: Callable[[int], None],
) -> None:
    columns = columns_of(job)
    writer = open_writer(job.kind, file, columns, head=True)
    for part in parts:
        path = job.part_file(part.index, job.kind)
        left_out = {one.row for one in repeated.get(part.index, ())}
        if left_out or job.kind == "parquet":
            for rows in _batches(read_back(job.kind, path, columns), left_out, joined):
                writer.write(rows)
        else:
            with path.open("rb") as source:
                while block := source.read(_BLOCK):
                    file.write(block)
        progress(1)
    writer.close()


def _batches(
    rows: Iterator[Sequence[Any]], left_out: set[int], joined: Joined
) -> Iterator[list[Sequence[Any]]]:
    held: list[Sequence[Any]] = []
    for place, values in enumerate(rows):
        if place in left_out:
            joined.rows -= 1
            joined.decisions[values[_DECISION]] -= 1
            continue
        held.append(values)
        if len(held) >= _ROWS_AT_ONCE:
            yield held
            held = []
    if held:
        yield held


def _rejects_of(
    job: Job, part: Part, parts: Sequence[Part], repeated: list[DuplicateId], joined: Joined
) -> Iterator[bytes]:
    with job.part_file(part.index, "rejects").open("rb") as file:
        told = [from_json(line) for line in file]
    if repeated:
        own, ids = job.sources[part.source].name, _ids_of(job, part)
        sources = {one.index: job.sources[one.source].name for one in parts}
        for one in repeated:
            where = "" if sources[one.first_part] == own else f" of {sources[one.first_part]}"
            reason = f"duplicate id, first in line {one.first_line}{where}"
            told.append({"file": own, "line": one.line, "id": ids[one.row], "reason": reason})
        told.sort(key=lambda reject: int(reject["line"]))
    for reject in told:
        joined.rejects += 1
        joined.reasons[_NUMBER.sub("N", reject["reason"]).split(" of ")[0]] += 1
        yield to_json(reject) + b"\n"


def _ids_of(job: Job, part: Part) -> list[str]:
    return [row[_ID] for row in read_back(job.kind, job.part_file(part.index, job.kind), columns_of(job))]


def _packing(file: IO[bytes], output: Path) -> AbstractContextManager[IO[bytes]]:
    """The same bytes at every try: without the time that gzip likes to write."""
    if output.suffix.lower() == ".gz":
        return cast(
            AbstractContextManager[IO[bytes]], gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0)
        )
    if output.suffix.lower() == ".zst":
        try:
            import zstandard
        except ImportError:
            raise OutputError(f"{output} needs pip install 'counterpoint[archive]'") from None
        return cast(
            AbstractContextManager[IO[bytes]], zstandard.ZstdCompressor().stream_writer(file, closefd=False)
        )
    return nullcontext(file)
