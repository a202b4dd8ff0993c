"""What is installed is whole: data files and the shipped models travel in the wheel."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent.parent
PARTS = ("app", "data", "models", "training")


def test_the_wheel_holds_every_file_that_the_code_reads(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "counterpoint.py"):
        shutil.copy(ROOT / name, source)
    for name in PARTS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (source / "datasets").mkdir()
    (source / "datasets" / "private.csv").write_text("never packed")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(source)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(source))
        for name in PARTS
        for path in (source / name).rglob("*")
        if path.is_file()
    }
    assert wanted - packed == set()
    assert "models/lexicon.toml" in packed
    assert not [name for name in packed if name.startswith(("tests", "datasets", "benchmarks"))]
