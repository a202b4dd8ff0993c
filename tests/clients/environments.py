"""Where the clients live: environments below .venv/clients, made on first use, then reused.

Each has its versions pinned in environments/. They are ours to throw away: `make clean` does.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["UnavailableError", "node_modules", "python_of"]

_WANTED = Path(__file__).parent / "environments"
_PLACE = Path(__file__).parents[2] / ".venv" / "clients"
_PATIENCE_S = 300
_UNREACHABLE = re.compile(
    r"Max retries exceeded|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError"
    r"|name resolution|Name or service not known|connection (broken|timed out|refused)"
    r"|ENOTFOUND|EAI_AGAIN|ECONN(REFUSED|RESET|ABORTED)|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[234]",
    re.IGNORECASE,
)


class UnavailableError(Exception):
    """The environment cannot be made here, through no fault of the project."""


def python_of(name: str) -> Path:
    """Return the Python in which the packages of `environments/<name>.txt` are installed.

    Raises:
        UnavailableError: pip is missing, or its index cannot be reached.
    """
    wanted = _WANTED / f"{name}.txt"
    place = _PLACE / name
    python = place / "bin" / "python"
    digest = _digest([wanted], sys.version)
    if not _is_made(place, digest):
        if importlib.util.find_spec("pip") is None:
            raise UnavailableError("pip is missing")
        shutil.rmtree(place, ignore_errors=True)
        _run("venv", [sys.executable, "-m", "venv", "--without-pip", str(place)], _WANTED)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
        _run("pip", [*pip, "install", "--quiet", "--retries", "1", "--requirement", str(wanted)], _WANTED)
        _mark(place, digest)
    return python


def node_modules() -> Path:
    """Return the folder of the packages of `environments/node`.

    Raises:
        UnavailableError: Node.js or npm is missing, or its registry cannot be reached.
    """
    wanted = [_WANTED / "node" / name for name in ("package.json", "package-lock.json")]
    place = _PLACE / "node"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise UnavailableError("Node.js is missing" if node is None else "npm is missing")
    digest = _digest(wanted, node)
    if not _is_made(place, digest):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for file in wanted:
            shutil.copy(file, place)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--fetch-retries=1"]
        _run("npm", [npm, "ci", *quiet], place)
        _mark(place, digest)
    return place / "node_modules"


def _digest(files: Sequence[Path], tool: str) -> str:
    return hashlib.sha256(b"\0".join([*(file.read_bytes() for file in files), tool.encode()])).hexdigest()


def _is_made(place: Path, digest: str) -> bool:
    mark = place / ".made"
    return mark.exists() and mark.read_text(encoding="ascii") == digest


def _mark(place: Path, digest: str) -> None:
    (place / ".made").write_text(digest, encoding="ascii")


def _run(tool: str, command: Sequence[str], folder: Path) -> None:
    # What the tests themselves are told by pytest or coverage is no business of the package managers.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{tool} took over {_PATIENCE_S} s: a slow network?") from None
    if done.returncode == 0:
        return
    told = done.stderr + done.stdout
    if _UNREACHABLE.search(told):
        raise UnavailableError(f"the package registry of {tool} cannot be reached")
    raise RuntimeError(f"{tool} failed: {told[-2_000:]}")
