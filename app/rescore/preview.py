"""What is recognised in an input, from its beginning, without scoring anything."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from app.rescore.gathering import Order, gather
from app.rescore.job import Job, Mapping, Model, Part, Source
from app.rescore.reading import Reject, Row, read_part
from app.settings import Settings

__all__ = ["Preview", "preview"]

_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Preview:
    """One file of the input, and what becomes of its first rows."""

    name: str
    kind: str
    mapping: Mapping
    others: tuple[str, ...]
    """Columns that `--keep-columns` would take over."""
    good: int
    with_premise: int
    with_parent: int
    rejects: dict[str, int]


def preview(order: Order, settings: Settings) -> Iterator[Preview]:
    """Yield what the files of an input are taken for; at most 1,000 rows of each are read.

    Raises:
        ArchiveError: there is nothing, it cannot be read, or is not recognised.
    """
    with TemporaryDirectory() as folder:
        gathered = gather(order, Path(folder) / "input", lambda stage, done, total: None, head=True)
        for source in gathered.sources:
            yield _of(source, gathered.kept, settings)


def _of(source: Source, kept: tuple[str, ...], settings: Settings) -> Preview:
    model = Model(version="", digest=None, folder=None, settings={})
    job = Job(
        folder="",
        sources=(source,),
        total=0,
        kind="jsonl",
        kept=(),
        stance=True,
        sample=None,
        run_id="",
        model=model,
    )
    end = _ROWS if source.kind == "parquet" else None
    part = Part(index=0, source=0, begin=0, end=end, first_row=0, first_line=1, rows=0)
    read = list(islice(read_part(job, part, settings), source.kind == "csv", _ROWS))
    rows = [row for row in read if isinstance(row, Row)]
    return Preview(
        source.name,
        source.kind,
        source.mapping,
        tuple(name for name in kept if name in source.columns),
        good=len(rows),
        with_premise=sum(row.request.article is not None for row in rows),
        with_parent=sum(row.request.comment.parent is not None for row in rows),
        rejects=dict(Counter(row.reason for row in read if isinstance(row, Reject)).most_common(10)),
    )
