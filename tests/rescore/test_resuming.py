"""A run that was interrupted goes on where it was, and refuses to go on with something else."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.rescore import RunError

ROOT = Path(__file__).parents[2]


class Interrupted(BaseException):
    """As Ctrl-C or a signal would."""


def stop_after(rows: int) -> Any:
    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "scoring" and done >= rows:
            raise Interrupted

    return progress


@pytest.fixture
def archive(bench: Any, make: Any, write: Any) -> Path:
    path: Path = write(bench.folder / "in.jsonl", make(200))
    return path


def test_finished_parts_are_not_scored_again(bench: Any, archive: Path) -> None:
    bench.run(archive, "whole.jsonl", part_bytes=2_000)
    for rows in (30, 90, 150):
        with pytest.raises(Interrupted):
            bench.run(archive, part_bytes=2_000, progress=stop_after(rows))
        assert not (bench.folder / "out.jsonl").exists()
    outcome = bench.run(archive, part_bytes=2_000)
    assert 0 < outcome.scored_now <= 60
    assert outcome.rows == 200
    assert (bench.folder / "out.jsonl").read_bytes() == (bench.folder / "whole.jsonl").read_bytes()
    assert not (bench.folder / "out.jsonl.run").exists()
    assert sorted(path.name for path in bench.folder.glob("out*")) == ["out.jsonl", "out.jsonl.manifest.json"]


def test_a_complete_run_is_not_done_again(bench: Any, archive: Path) -> None:
    first = bench.run(archive)
    stamp = first.output.stat().st_mtime_ns
    again = bench.run(archive)
    assert (again.was_complete, again.rows, again.decisions) == (True, 200, first.decisions)
    assert first.output.stat().st_mtime_ns == stamp
    with pytest.raises(RunError, match="not of this command"):
        bench.run(archive, sample=10)
    assert bench.run(archive, sample=10, force=True).rows == 10


def test_another_command_does_not_go_on_with_it(bench: Any, archive: Path, older: Any) -> None:
    with pytest.raises(Interrupted):
        bench.run(archive, part_bytes=2_000, progress=stop_after(50))
    with pytest.raises(RunError, match="model, bundle differ"):
        bench.run(archive, part_bytes=2_000, model=older)
    with pytest.raises(RunError, match="--sample differ"):
        bench.run(archive, part_bytes=2_000, sample=3)
    with archive.open("a") as file:
        file.write('{"id": "more", "text": "One more."}\n')
    with pytest.raises(RunError, match=r"in\.jsonl differ"):
        bench.run(archive, part_bytes=2_000)
    assert bench.run(archive, part_bytes=2_000, restart=True).rows == 201


def test_a_part_whose_file_was_cut_short_is_scored_again(bench: Any, archive: Path) -> None:
    bench.run(archive, "whole.jsonl", part_bytes=2_000)
    with pytest.raises(Interrupted):
        bench.run(archive, part_bytes=2_000, progress=stop_after(100))
    part = bench.folder / "out.jsonl.run" / "parts" / "000001.jsonl"
    os.truncate(part, part.stat().st_size - 7)
    bench.run(archive, part_bytes=2_000)
    assert (bench.folder / "out.jsonl").read_bytes() == (bench.folder / "whole.jsonl").read_bytes()


def test_a_file_of_somebody_else_is_not_written_over(bench: Any, archive: Path) -> None:
    (bench.folder / "out.jsonl").write_text("precious")
    with pytest.raises(RunError, match="--force"):
        bench.run(archive)
    assert (bench.folder / "out.jsonl").read_text() == "precious"


def test_two_at_once_do_not_get_in_each_others_way(bench: Any, archive: Path) -> None:
    met: list[str] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "scoring" and not met:
            met.append(stage)
            with pytest.raises(RunError, match="another process"):
                bench.run(archive)

    bench.run(archive, progress=progress)
    assert met
    assert len(bench.rows()) == 200


def test_no_room_left_is_told_and_the_run_goes_on_later(bench: Any, archive: Path) -> None:
    bench.run(archive, "whole.jsonl", part_bytes=4_000)
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000)); "
        "from app.cli import main; main()"
    )
    command = ["rescore", str(archive), "--output", str(bench.folder / "out.jsonl"), "--workers", "1"]
    command += ["--bundle", str(bench.model.folder), "--part-bytes", "4000"]
    found = subprocess.run(
        [sys.executable, "-c", script, *command],
        capture_output=True, text=True, cwd=bench.folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.returncode == 1
    assert "cannot be written" in found.stderr
    assert "Traceback" not in found.stderr
    assert not (bench.folder / "out.jsonl").exists()
    assert list((bench.folder / "out.jsonl.run").rglob("*.tmp")) == []
    from app.rescore import model_of
    from app.settings import load_settings

    model = model_of(Path(bench.model.folder), load_settings())
    bench.run(archive, part_bytes=4_000, model=model)
    assert len(bench.rows()) == 200


def test_standard_input_is_needed_only_once(
    bench: Any, archive: Path, monkeypatch: Any, request: Any
) -> None:
    bench.run(archive, "whole.jsonl", part_bytes=2_000)

    def send(content: bytes) -> None:
        path = bench.folder / "stdin"
        path.write_bytes(content)
        stdin = path.open()
        request.addfinalizer(stdin.close)
        monkeypatch.setattr("sys.stdin", stdin)

    send(archive.read_bytes())
    with pytest.raises(Interrupted):
        bench.run("-", part_bytes=2_000, progress=stop_after(50))
    send(b'{"text": "Another input."}\n')
    with pytest.raises(RunError, match="standard input differ"):
        bench.run("-", part_bytes=2_000)
    send(b"")
    bench.run("-", part_bytes=2_000)
    assert (bench.folder / "out.jsonl").read_bytes() == (bench.folder / "whole.jsonl").read_bytes()
