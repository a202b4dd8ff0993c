"""How much memory a command takes at most, told by the process itself.

What the kernel says of a child that has ended is no use: it counts what the child held before it became
another program, which is the memory of the process that started it.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["peak_bytes"]

_ROOT = Path(__file__).parents[2]
_SCRIPT = f"""
import re, resource, sys
from pathlib import Path
sys.path.insert(0, {str(_ROOT)!r})
from app.cli import main
try:
    main()
finally:
    own = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
    print(max(int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
"""


def peak_bytes(arguments: Sequence[str], folder: Path) -> int:
    """Run `counterpoint` with these arguments in a folder; most resident memory of it or a child of it."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True, cwd=folder, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1]) * 1024
