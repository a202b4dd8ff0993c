"""A run from its command to its output: plan once, score what is not finished, join, and say so."""

import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from app.rescore.engines import Engine
from app.rescore.errors import RescoreError, RunError
from app.rescore.files import digest_of, whole_file
from app.rescore.gathering import Gathered, Order, gather
from app.rescore.job import Job, Kind, Model, Part, Receipt
from app.rescore.joining import Joined, join
from app.rescore.planning import Cut, cut_source
from app.rescore.table import columns_of
from app.rescore.work import finished
from counterpoint import __version__

__all__ = ["Outcome", "Progress", "Rescoring", "complete_outcome", "rescore"]


class Progress(Protocol):
    """Is told how far each stage is; a stage begins when it is first told of."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take how much of a stage is done, and of how much, None where that is unknown."""


class _Plan(BaseModel):
    """What was found out before the first part; nothing of it is done twice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: dict[str, Any]
    stamps: dict[str, list[Any]]
    digests: dict[str, str]
    job: Job
    parts: tuple[Part, ...]
    began: str
    stdin: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    output: Path
    rejects_file: Path
    manifest: Path
    rows: int
    rejects: int
    reasons: dict[str, int]
    decisions: dict[str, int]
    seconds: float
    """Of this try."""
    scored_now: int
    """Rows scored by this try; the others were finished before."""
    was_complete: bool = False


@dataclass(frozen=True, slots=True)
class Rescoring:
    """What is asked for."""

    order: Order
    output: Path
    model: Model
    engine_name: str
    kind: Kind
    stance: bool = True
    sample: int | None = None
    keep: bool = False
    run_id: str | None = None
    restart: bool = False
    force: bool = False
    part_bytes: int = 4_000_000

    @property
    def folder(self) -> Path:
        """Where what is finished lies until all is."""
        return self.output.with_name(f"{self.output.name}.run")

    @property
    def manifest(self) -> Path:
        """The manifest beside the output."""
        return self.output.with_name(f"{self.output.name}.manifest.json")

    @property
    def rejects(self) -> Path:
        """The rejects file beside the output."""
        return self.output.with_name(f"{self.output.name}.rejects.jsonl")

    def asked(self) -> dict[str, Any]:
        """Return what the output depends on; a run that goes on must be asked for the same."""
        return {
            **self.order.asked(),
            "output format": self.kind,
            "--keep-columns": self.keep,
            "stance": self.stance,
            "--sample": self.sample,
            "--run-id": self.run_id,
            "part size": self.part_bytes,
            "model": self.model.version,
            "bundle": self.model.digest,
            "settings": self.model.settings,
        }


def rescore(asked: Rescoring, engine: Engine, progress: Progress) -> Outcome:
    """Rescore an archive, or go on where the same command was interrupted.

    Raises:
        RunError: the output exists and is of something else, or another process is at the same run.
        ArchiveError, OutputError, PartError: what the input, the disk or a worker does not allow.
    """
    began = time.monotonic()
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    with _locked(asked.folder.with_suffix(".lock")):
        _clear_away(asked)
        if (complete := _complete(asked)) is not None:
            return complete
        plan = _planned(asked, progress)
        receipts, scored_now = _scored(plan, engine, progress)
        return _joined(asked, plan, receipts, scored_now, began, progress)


def _clear_away(asked: Rescoring) -> None:
    for leftover in asked.output.parent.glob(f".{asked.folder.name}.*.old"):
        shutil.rmtree(leftover, ignore_errors=True)
    if asked.restart:
        _throw_away(asked.folder)


def _throw_away(folder: Path) -> None:
    # Renamed first: half of a folder of parts would be taken for a run to go on with.
    if folder.exists():
        old = folder.with_name(f".{folder.name}.{uuid4().hex}.old")
        os.rename(folder, old)
        shutil.rmtree(old, ignore_errors=True)


def _complete(asked: Rescoring) -> Outcome | None:
    """The outcome of an earlier run for the same; None where there is something to do."""
    if not asked.output.exists() or (asked.folder / "plan.json").exists() or asked.force or asked.restart:
        return None
    manifest = asked.manifest.read_bytes() if asked.manifest.exists() else b""
    found = complete_outcome(asked, manifest, asked.output.stat().st_size)
    if found is None:
        raise RunError(f"{asked.output} exists and is not of this command; --force writes over it")
    return found


def complete_outcome(asked: Rescoring, manifest: bytes, size: int) -> Outcome | None:
    """Return the outcome that a manifest tells of; None where that is of another command or output.

    Args:
        asked: what is asked for.
        manifest: what was written beside an output.
        size: bytes of the output.
    """
    try:
        told = json.loads(manifest)
        same = told["asked"] == asked.asked() and told["stamps"] == asked.order.stamps()
        if not same or told["output"]["bytes"] != size:
            return None
        counts = told["counts"]
        return Outcome(
            asked.output,
            asked.rejects,
            asked.manifest,
            rows=counts["output"],
            rejects=counts["rejects"],
            reasons=counts["reasons"],
            decisions=counts["decisions"],
            seconds=0.0,
            scored_now=0,
            was_complete=True,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _planned(asked: Rescoring, progress: Progress) -> _Plan:
    path = asked.folder / "plan.json"
    if path.exists():
        plan = _Plan.model_validate_json(path.read_bytes())
        _refuse_another(asked, plan)
        return plan
    try:
        return _plan(asked, path, progress)
    except RescoreError:
        _throw_away(asked.folder)  # there is nothing in it to go on with
        raise


def _plan(asked: Rescoring, path: Path, progress: Progress) -> _Plan:
    (asked.folder / "parts").mkdir(parents=True, exist_ok=True)
    gathered = gather(asked.order, asked.folder / "input", progress)
    cuts = list(_cuts(gathered, asked.part_bytes, progress))
    parts = tuple(part for cut in cuts for part in cut.parts)
    digests = {source.name: cut.digest for source, cut in zip(gathered.sources, cuts, strict=True)}
    plan = _Plan(
        asked=asked.asked(),
        stamps=asked.order.stamps(),
        digests=digests,
        job=_job(asked, gathered, digests, sum(part.rows for part in parts)),
        parts=parts,
        began=_now(),
        stdin=gathered.stdin,
    )
    with whole_file(path) as file:
        file.write(plan.model_dump_json().encode())
    return plan


def _cuts(gathered: Gathered, part_bytes: int, progress: Progress) -> Iterator[Cut]:
    last: Part | None = None
    done, total = 0, gathered.size

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("reading the input", done, total)

    for place, source in enumerate(gathered.sources):
        cut = cut_source(source, place, last, part_bytes, report)
        last = cut.parts[-1] if cut.parts else last
        yield cut


def _job(asked: Rescoring, gathered: Gathered, digests: Mapping[str, str], total: int) -> Job:
    kept = gathered.kept if asked.keep else ()
    what = [
        list(digests.values()),
        [source.mapping.model_dump() for source in gathered.sources],
        [asked.model.version, kept, asked.stance, asked.sample],
    ]
    return Job(
        folder=str(asked.folder.resolve()),
        sources=gathered.sources,
        total=total,
        kind=asked.kind,
        kept=kept,
        stance=asked.stance,
        sample=asked.sample,
        run_id=asked.run_id or hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16],
        model=asked.model,
    )


def _refuse_another(asked: Rescoring, plan: _Plan) -> None:
    now = json.loads(json.dumps(asked.asked()))
    changed = [name for name, value in now.items() if plan.asked.get(name) != value]
    changed += [name for name, stamp in asked.order.stamps().items() if plan.stamps.get(name) != stamp]
    if plan.stdin is not None and _another_stdin(plan.stdin):
        changed.append("standard input")
    if changed:
        raise RunError(
            f"{asked.folder} is of a run that was interrupted, and not of the same command: "
            f"{', '.join(changed)} differ; --restart throws it away"
        )


def _another_stdin(digest: str) -> bool:
    """Whether standard input is another one than before; where nothing is sent again, it is not."""
    if sys.stdin.isatty():
        return False
    found, empty = hashlib.sha256(), True
    while block := sys.stdin.buffer.read(1 << 20):
        found.update(block)
        empty = False
    return not empty and found.hexdigest() != digest


def _scored(plan: _Plan, engine: Engine, progress: Progress) -> tuple[dict[int, Receipt], int]:
    receipts = finished(plan.job)
    rows = {part.index: part.rows for part in plan.parts}
    done = sum(rows[index] for index in receipts)
    left = [part for part in plan.parts if part.index not in receipts]
    progress("scoring", done, plan.job.total)
    scored_now = 0
    for receipt in engine(plan.job, left) if left else ():
        receipts[receipt.part] = receipt
        done += rows[receipt.part]
        scored_now += receipt.scored
        progress("scoring", done, plan.job.total)
    return receipts, scored_now


def _joined(
    asked: Rescoring,
    plan: _Plan,
    receipts: Mapping[int, Receipt],
    scored_now: int,
    began: float,
    progress: Progress,
) -> Outcome:
    _check_sums(plan, receipts)
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("joining", done, len(plan.parts))

    joined = join(plan.job, plan.parts, asked.output, asked.rejects, report)
    for receipt in receipts.values():
        joined.rows += receipt.scored
        joined.decisions.update(receipt.decisions)
    with whole_file(asked.manifest) as file:
        file.write(
            json.dumps(_manifest(asked, plan, receipts, joined), ensure_ascii=False, indent=2).encode()
        )
    _throw_away(asked.folder)
    return Outcome(
        asked.output,
        asked.rejects,
        asked.manifest,
        rows=joined.rows,
        rejects=joined.rejects,
        reasons=dict(joined.reasons.most_common()),
        decisions=dict(sorted(joined.decisions.items())),
        seconds=time.monotonic() - began,
        scored_now=scored_now,
    )


def _check_sums(plan: _Plan, receipts: Mapping[int, Receipt]) -> None:
    """Every row of every part is scored, rejected, empty or not in the sample: nothing is lost unnoticed."""
    if missing := [part.index for part in plan.parts if part.index not in receipts]:
        raise RunError(f"{len(missing)} parts were not scored; the same command goes on")
    for part in plan.parts:
        one = receipts[part.index]
        if one.scored + one.rejected + one.blank + one.left_out != part.rows:
            raise RunError(
                f"part {part.index} has {part.rows} rows, but {one.scored} are scored and {one.rejected} "
                "rejected: the input was changed during the run; --restart begins anew"
            )


def _manifest(
    asked: Rescoring, plan: _Plan, receipts: Mapping[int, Receipt], joined: Joined
) -> dict[str, Any]:
    job = plan.job
    return {
        "counterpoint": __version__,
        "run": job.run_id,
        "model": asked.model.model_dump(exclude={"folder"}),
        "engine": asked.engine_name,
        "asked": asked.asked(),
        "stamps": asked.order.stamps(),
        "input": [
            {"name": source.name, "sha256": plan.digests[source.name], "columns": source.mapping.model_dump()}
            for source in job.sources
        ],
        "output": {
            "name": asked.output.name,
            "sha256": digest_of(str(asked.output)),
            "bytes": asked.output.stat().st_size,
            "columns": columns_of(job),
        },
        "counts": {
            "input": job.total,
            "output": joined.rows,
            "rejects": joined.rejects,
            "empty lines": sum(receipt.blank for receipt in receipts.values()),
            "not in the sample": sum(receipt.left_out for receipt in receipts.values()),
            "reasons": dict(joined.reasons.most_common()),
            "decisions": dict(sorted(joined.decisions.items())),
        },
        "timings": {
            "began": plan.began,
            "ended": _now(),
            "scoring_seconds": round(sum(receipt.seconds for receipt in receipts.values()), 3),
            "scoring_cpu_seconds": round(sum(receipt.cpu_seconds for receipt in receipts.values()), 3),
            "parts": len(plan.parts),
        },
    }


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however that ends."""
    while True:
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(f"another process is at the same run ({path} is locked)") from None
            # Whoever held it before may have removed the file that this lock is on.
            if not path.exists() or not os.path.samestat(path.stat(), os.fstat(file.fileno())):
                continue
            try:
                yield
            finally:
                path.unlink()
            return


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
