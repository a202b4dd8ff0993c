"""The wall clock of a running service jumps, as libfaketime makes it: scoring and waiting do not mind."""

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

SECRET = "a secret of the tests"
GOOD = {"comment": {"text": "Well said."}}


def library() -> str | None:
    found = sorted(Path("/usr/lib").glob("**/faketime/libfaketime.so.1"))
    return str(found[0]) if shutil.which("faketime") and found else None


def webhook(http: httpx.Client) -> int:
    """What an event that is signed now, by the true clock, is answered."""
    body = json.dumps({"type": "COMMENT_CREATED", "createdAt": datetime.now(UTC).isoformat()}).encode()
    signature = f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
    headers = {"Content-Type": "application/json", "X-Coral-Signature": signature}
    return http.post("/integrations/coral/webhook", content=body, headers=headers).status_code


@pytest.mark.skipif(library() is None, reason="libfaketime is not installed (Debian's package faketime)")
def test_the_clock_jumps(started: Callable[..., Any], tmp_path: Path, until: Callable[..., Any]) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    faked = {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "COUNTERPOINT_CORAL_SECRETS": json.dumps([SECRET]),
    }
    with (
        started(**faked) as served,
        httpx.Client(base_url=served.url, timeout=60, trust_env=False) as http,
    ):
        for jump in ("+400d", "-400d"):
            assert webhook(http) == 200
            clock.write_text(jump)
            assert webhook(http) == 403  # for this clock the event is too old, or not yet made
            for _ in range(10):
                assert http.post("/v1/score", json=GOOD).status_code == 200
            opinion = {"comment": {"text": "Well said."}, "labels": {"INSULT": 0}}
            received = http.post("/v1/feedback", json=opinion).json()["received"]
            assert abs((datetime.fromisoformat(received) - datetime.now(UTC)).days) > 300
            assert http.get("/readyz").json()["status"] == "ok"
            assert http.get("/metrics").status_code == 200
            clock.write_text("+0")
