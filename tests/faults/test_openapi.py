"""The running service keeps to its OpenAPI document, whatever it is sent: schemathesis over every route."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def test_every_route_answers_as_documented(
    server: Any, fuzz_cases: int, fuzzing: bool, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", f"{server.url}/openapi.json", "--max-examples", str(fuzz_cases)]
    command += ["--no-color", "--warnings", "off", "--request-timeout", "60", "--continue-on-failure"]
    command += [] if fuzzing else ["--generation-deterministic", "--phases", "examples,coverage,fuzzing"]
    told = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    generated = re.search(r"(\d+) generated", told.stdout)
    assert generated is not None, told.stdout
    assert int(generated[1]) > 500
    sys.stdout.write(f"schemathesis: {generated[1]} cases\n")
