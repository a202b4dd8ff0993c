"""What /metrics counts is what happened, in one process and in several."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.ops.workers import AllWorkers
from models import ATTRIBUTES

Serve = Callable[..., AbstractContextManager[Any]]
Until = Callable[[Callable[[], bool]], None]
OLD, NEW = "2026.1.0", "2026.2.0"
SCORE = {"method": "POST", "route": "/v1/score"}
BODY = {"comment": {"text": "You are a stupid idiot."}, "article": {"premise": "Ban cars"}}


class Told:
    """What one reading of /metrics says."""

    def __init__(self, url: str) -> None:
        text = httpx.get(f"{url}/metrics", timeout=60, trust_env=False).text
        families = list(text_string_to_metric_families(text))
        self.names = {family.name for family in families}
        self.samples = [sample for family in families for sample in family.samples]

    def sum(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == f"counterpoint_{name}" and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str) -> set[str]:
        found = [sample.labels for sample in self.samples if sample.name.startswith("counterpoint_")]
        return {labels[name] for labels in found if name in labels}


def post(url: str, path: str, body: object = BODY) -> httpx.Response:
    return httpx.post(f"{url}{path}", json=body, timeout=60, trust_env=False)


def test_requests_are_counted_by_route_and_status(serve: Serve) -> None:
    with serve(max_body_bytes=1_000) as running:
        for _ in range(3):
            assert post(running.url, "/v1/score?key=secret-key").status_code == 200
        assert post(running.url, "/v1/score", {}).status_code == 422
        assert post(running.url, "/v1/score", {"comment": {"text": "x" * 2_000}}).status_code == 413
        with httpx.Client(base_url=running.url, trust_env=False) as http:
            http.put("/v1/articles/secret-article", json={"premise": "Ban cars"}).raise_for_status()
            assert http.get("/nowhere/secret-path").status_code == 404
            assert http.request("PROPFIND", "/v1/score").status_code == 405
        told = Told(running.url)
    for status, requests in {"200": 3, "422": 1, "413": 1}.items():
        assert told.sum("request_seconds_count", **SCORE, status=status) == requests
    assert told.sum("request_seconds_sum", **SCORE) > 0
    assert told.sum("request_seconds_count", route="/v1/articles/{article_id}", status="201") == 1
    assert told.sum("request_seconds_count", route="other", status="404") == 1
    assert told.sum("request_seconds_count", method="other", route="/v1/score", status="405") == 1
    assert told.sum("requests_in_progress") == 1  # the reading itself
    assert "secret" not in "".join(str(sample.labels) for sample in told.samples).lower()


def test_comments_are_counted_by_what_they_were_given(serve: Serve) -> None:
    texts = ["You are a stupid idiot.", "Thank you for this careful report.", "Obrigado pela boa reportagem."]
    items = [
        {"comment": {"text": text, "language": language}, "article": {"premise": "Ban cars"}}
        for text, language in zip(texts, ("en", "en", "pt"), strict=True)
    ]
    with serve() as running:
        answers = post(running.url, "/v1/score/batch", {"items": items}).json()["results"]
        told = Told(running.url)
    for action in ("approve", "review", "reject"):
        given = [answer["decision"]["action"] for answer in answers]
        assert told.sum("decisions_total", action=action) == given.count(action)
    for name in ATTRIBUTES:
        scores = [answer["civility"]["attributes"].get(name) for answer in answers]
        known = [score for score in scores if score is not None]
        assert told.sum("score_count", attribute=name) == len(known)
        assert told.sum("score_sum", attribute=name) == pytest.approx(sum(known))
    labels = [answer["stance"]["label"] for answer in answers if answer["stance"]]
    for label in ("agree", "disagree", "neutral", "uncertain"):
        assert told.sum("stances_total", label=label) == labels.count(label)
    assert told.sum("civility_comments_total", stage="fast") == 2
    assert told.sum("micro_batch_comments_sum") == told.sum("queue_wait_seconds_count") == 3
    assert told.sum("micro_batch_comments_count") == told.sum("micro_batch_seconds_count") > 0
    assert told.sum("queue_comments") == 0
    assert told.sum("model_workers", version=NEW) == told.sum("workers") == told.sum("build_info") == 1
    assert told.sum("resident_memory_bytes") > 50_000_000


def test_comments_that_the_encoder_reads_are_counted(serve: Serve, shipped_bundle_path: Path) -> None:
    with serve(releases=shipped_bundle_path.parent, encoder_share=1.0) as running:
        assert post(running.url, "/v1/score").status_code == 200
        told = Told(running.url)
    assert told.sum("civility_comments_total", stage="encoder") == 1
    assert told.sum("civility_comments_total", stage="fast") == 0


def test_the_database_is_told_to_be_down_and_up_again(serve: Serve, until: Until, tmp_path: Path) -> None:
    place = tmp_path / "later" / "store.sqlite3"
    body = BODY | {"store": "text", "article": {"id": "a"}}
    with serve(open=True, database_url=f"sqlite:///{place}") as running:
        assert post(running.url, "/v1/score", body).json()["stored"] == "no"
        told = Told(running.url)
        assert told.sum("store_up") == 0
        assert told.sum("store_seconds_count", outcome="down") > 0
        assert told.sum("stored_comments_total", outcome="lost") == 1
        place.parent.mkdir()
        until(lambda: Told(running.url).sum("store_up") == 1)  # nobody asks: it looks by itself
        assert post(running.url, "/v1/score", body).json()["stored"] == "text"
        told = Told(running.url)
    assert told.sum("stored_comments_total", outcome="stored") == 1
    assert told.sum("store_seconds_count", outcome="ok") > 0


def test_of_a_worker_that_ended_only_the_counts_stay(tmp_path: Path) -> None:
    script = (
        "from prometheus_client import Counter, Gauge\n"
        "Counter('asked', 'Requests').inc(3)\n"
        "Gauge('busy', 'Requests', multiprocess_mode='livesum').set(1)\n"
    )
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    [family] = AllWorkers(str(tmp_path)).collect()
    assert (family.name, [sample.value for sample in family.samples]) == ("asked", [6])


def test_a_worker_that_is_about_to_start_is_not_in_the_way(tmp_path: Path) -> None:
    script = "from prometheus_client import Counter\nCounter('asked', 'Requests').inc(3)\n"
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    (tmp_path / f"counter_{os.getpid()}.db").touch()
    (tmp_path / f"gauge_livesum_{os.getpid()}.db").touch()
    [family] = AllWorkers(str(tmp_path)).collect()
    assert [sample.value for sample in family.samples] == [3]
