"""The one function that every engine calls: a part in, the part's files out."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol

from pydantic_core import to_json

from app.rescore.errors import PartError
from app.rescore.files import whole_file
from app.rescore.identities import write_ids
from app.rescore.job import Job, Part, Receipt
from app.rescore.reading import Reject, Row, read_part
from app.rescore.sampling import chosen_rows
from app.rescore.table import columns_of, output_row
from app.rescore.writing import PartWriter, open_writer
from app.schemas import Problem, ScoreAnswer, ScoreRequest
from app.settings import Settings

__all__ = ["Answers", "finished", "score_part"]

_ROWS_AT_ONCE = 512


class Answers(Protocol):
    """What scores: the models in this process, or a service."""

    def answer(self, requests: Sequence[ScoreRequest]) -> list[ScoreAnswer | Problem]:
        """Return an answer or a problem for each request, in order."""


def score_part(job: Job, part: Part, answers: Answers) -> Receipt:
    """Score a part and write its files, the receipt last; whatever happens, each is whole or absent.

    The same part gives the same bytes, however often and wherever it is scored.

    Raises:
        RescoreError: the source cannot be read, or a file not written.
        CounterpointError: the service does not answer.
    """
    began, cpu_began = time.monotonic(), time.thread_time()
    with ExitStack() as files:
        paths = {what: job.part_file(part.index, what) for what in (job.kind, "rejects", "ids")}
        opened = {what: files.enter_context(whole_file(path)) for what, path in paths.items()}
        counts = _Part(job, part, answers, opened).run()
    sizes = {what: path.stat().st_size for what, path in paths.items()}
    took = time.monotonic() - began, time.thread_time() - cpu_began
    receipt = counts.receipt(sizes, *took)
    with whole_file(job.part_file(part.index, "json")) as file:
        file.write(receipt.model_dump_json().encode())
    return receipt


def finished(job: Job) -> dict[int, Receipt]:
    """Return the receipts of the parts that are finished, their files being as they were written."""
    found = {}
    for path in sorted((Path(job.folder) / "parts").glob("*.json")):
        receipt = Receipt.model_validate_json(path.read_bytes())
        files = {what: job.part_file(receipt.part, what) for what in receipt.sizes}
        if all(file.exists() and file.stat().st_size == receipt.sizes[what] for what, file in files.items()):
            found[receipt.part] = receipt
    return found


class _Part:
    def __init__(self, job: Job, part: Part, answers: Answers, files: dict[str, IO[bytes]]) -> None:
        self._job, self._part, self._answers = job, part, answers
        self._rejects, self._ids_file = files["rejects"], files["ids"]
        self._writer: PartWriter = open_writer(job.kind, files[job.kind], columns_of(job))
        self._has_ids = job.sources[part.source].mapping.id is not None
        self._ids: list[str | None] = []
        self._lines: list[int] = []
        self._blank = self._left_out = self._rejected = 0
        self._decisions: Counter[str] = Counter()

    def run(self) -> "_Part":
        for group in self._groups():
            self._score(group)
        self._writer.close()
        if self._has_ids:
            write_ids(self._ids_file, self._ids, self._lines)
        return self

    def receipt(self, sizes: dict[str, int], seconds: float, cpu_seconds: float) -> Receipt:
        return Receipt(
            part=self._part.index,
            scored=len(self._lines),
            rejected=self._rejected,
            blank=self._blank,
            left_out=self._left_out,
            sizes=sizes,
            decisions=dict(sorted(self._decisions.items())),
            seconds=round(seconds, 3),
            cpu_seconds=round(cpu_seconds, 3),
        )

    def _groups(self) -> Iterator[list[Row]]:
        """Rows to score, some hundreds at a time; all others are dealt with on the way."""
        sample = chosen_rows(self._job, self._part)
        settings = Settings(**self._job.model.settings)
        held: list[Row] = []
        for place, row in enumerate(read_part(self._job, self._part, settings)):
            if sample is not None and self._part.first_row + place not in sample:
                self._left_out += 1
            elif row is None:
                self._blank += 1
            elif isinstance(row, Reject):
                self._reject(row.line, row.id, row.reason)
            else:
                held.append(row)
            if len(held) >= _ROWS_AT_ONCE:
                yield held
                held = []
        if held:
            yield held

    def _score(self, rows: list[Row]) -> None:
        outcomes = self._answers.answer([row.request for row in rows])
        scored = []
        for row, outcome in zip(rows, outcomes, strict=True):
            id = row.request.comment.id
            if isinstance(outcome, Problem):
                self._reject(row.line, id, _reason(outcome))
                continue
            if outcome.model != self._job.model.version:
                raise PartError(
                    f"the model changed from {self._job.model.version} to {outcome.model} during the run; "
                    "go back to the old one, or begin anew with --restart"
                )
            scored.append(output_row(row, outcome, self._job.run_id))
            self._ids.append(id)
            self._lines.append(row.line)
            self._decisions[outcome.decision.action] += 1
        self._writer.write(scored)

    def _reject(self, line: int, id: str | None, reason: str) -> None:
        self._rejected += 1
        name = self._job.sources[self._part.source].name
        self._rejects.write(to_json({"file": name, "line": line, "id": id, "reason": reason}) + b"\n")


def _reason(problem: Problem) -> str:
    fields = "; ".join(f"{error.field} {error.message}" for error in problem.errors)
    return fields or problem.detail
