"""The folder of bundles goes away, comes back, and holds bundles that are not whole."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from models.bundle import MANIFEST

OLD, NEW = "2026.1.0", "2026.2.0"
ASKED = {"comment": {"text": "You are a stupid idiot."}}


@contextmanager
def service_of(serve: Callable[..., Any], folder: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    settings = {"releases": folder, "active_file": tmp_path / "active.json", "allow_activate": True}
    with (
        serve(**settings) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        yield http


def versions(http: httpx.Client) -> list[str]:
    return [model["version"] for model in http.get("/v1/models").json()["models"]]


def test_the_folder_goes_away_and_comes_back(serve: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    with service_of(serve, folder, tmp_path) as http:
        before = http.post("/v1/score", json=ASKED).json()
        folder.rename(tmp_path / "elsewhere")
        assert http.post("/v1/score", json=ASKED).json() == before
        assert versions(http) == []
        assert http.get(f"/v1/models/{OLD}").status_code == 404
        assert http.post(f"/v1/models/{OLD}/activate").status_code == 404
        assert http.get("/metrics").status_code == 200
        assert http.get("/readyz").json()["status"] == "ok"
        (tmp_path / "elsewhere").rename(folder)
        assert http.post(f"/v1/models/{OLD}/activate").status_code == 200
        assert http.post("/v1/score", json=ASKED).json()["model"] == OLD


def test_a_bundle_that_is_being_copied_is_left_out(
    serve: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    whole = Path(shutil.move(folder / OLD, tmp_path / OLD))
    files = sorted((file for file in whole.rglob("*") if file.is_file()), key=lambda f: f.name != MANIFEST)
    with service_of(serve, folder, tmp_path) as http:
        for file in files:  # the manifest comes first, which is the worst order
            target = folder / OLD / file.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = file.read_bytes()
            for part in (content[: len(content) // 2], content):
                if file == files[-1] and part == content:
                    break
                target.write_bytes(part)
                assert versions(http) == [NEW]
                assert http.post(f"/v1/models/{OLD}/activate").status_code in {404, 409}
                assert http.post("/v1/score", json=ASKED).json()["model"] == NEW
        target.write_bytes(content)
        assert versions(http) == [OLD, NEW]
        assert http.post(f"/v1/models/{OLD}/activate").status_code == 200


def test_a_bundle_that_comes_and_goes(serve: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    ending = threading.Event()

    def come_and_go() -> None:
        while not ending.is_set():
            (folder / OLD).rename(tmp_path / "away")
            (tmp_path / "away").rename(folder / OLD)

    with service_of(serve, folder, tmp_path) as http:
        moving = threading.Thread(target=come_and_go)
        moving.start()
        try:
            asked = [
                ("GET", "/v1/models"),
                ("GET", f"/v1/models/{OLD}"),
                ("POST", f"/v1/models/{OLD}/activate"),
            ]
            seen = Counter(http.request(*asked[n % 3]).status_code for n in range(150))
        finally:
            ending.set()
            moving.join()
        assert set(seen) <= {200, 404, 409}, seen
        assert http.post("/v1/score", json=ASKED).status_code == 200
