"""Which versions there are, and changing the one in use under load."""

import gc
import shutil
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.errors import BundleError, BundleNotFoundError

Serve = Callable[..., AbstractContextManager[Any]]

ITEMS = [
    {"comment": {"text": f"Comment {n}: you are wrong about the cars."}, "article": {"premise": "Ban cars"}}
    for n in range(40)
]


def test_versions_and_the_active_one(http: httpx.Client, bundle_path: Path, second_bundle_path: Path) -> None:
    listed = http.get("/v1/models").json()
    assert listed["active"] == bundle_path.name
    assert {model["version"]: model["active"] for model in listed["models"]} == {
        bundle_path.name: True,
        second_bundle_path.name: False,
    }
    one = http.get(f"/v1/models/{second_bundle_path.name}").json()
    assert one in listed["models"]
    assert one["languages"] == ["en", "pt"]
    assert one["created"]


@pytest.mark.parametrize("version", ["1999.1.0", "..", "%2e%2e", "x" * 1_000, "%00"])
def test_unknown_versions(http: httpx.Client, version: str) -> None:
    response = http.get(f"/v1/models/{version}")
    assert response.status_code in {404, 405}
    assert response.headers["content-type"] == "application/problem+json"


def test_the_model_is_not_changed_unless_the_settings_allow_it(
    http: httpx.Client, bundle_path: Path, second_bundle_path: Path
) -> None:
    response = http.post(f"/v1/models/{second_bundle_path.name}/activate")
    assert response.status_code == 403
    assert "COUNTERPOINT_ALLOW_ACTIVATE" in response.json()["detail"]
    assert http.get("/v1/models").json()["active"] == bundle_path.name


def test_the_model_changes_under_load_without_a_mistake(
    serve: Serve, bundle_path: Path, second_bundle_path: Path
) -> None:
    versions = [bundle_path.name, second_bundle_path.name]
    with (
        serve(allow_activate=True) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
        ThreadPoolExecutor(8) as pool,
    ):

        def activate(version: str) -> None:
            response = http.post(f"/v1/models/{version}/activate")
            assert (response.status_code, response.json()["active"]) == (200, True)

        expected = {}
        for version in reversed(versions):
            activate(version)
            results = http.post("/v1/score/batch", json={"items": ITEMS}).json()["results"]
            expected[version] = results
            assert {answer["model"] for answer in results} == {version}

        def ask(number: int) -> tuple[int, dict]:
            response = http.post("/v1/score", json=ITEMS[number % len(ITEMS)])
            assert response.status_code == 200
            return number % len(ITEMS), response.json()

        seen = set()
        for version in versions[::-1] * 3:
            asked = [pool.submit(ask, number) for number in range(40)]
            activate(version)
            asked += [pool.submit(ask, number) for number in range(40)]
            for future in asked:
                number, answer = future.result()
                seen.add(answer["model"])
                assert answer == expected[answer["model"]][number]
        assert seen == set(versions)
        assert http.post("/v1/models/1999.1.0/activate").status_code == 404


def test_a_version_that_is_given_up_is_freed_without_the_garbage_collector(
    serve: Serve, second_bundle_path: Path
) -> None:
    with serve(allow_activate=True) as running:
        shelf = running.service.shelf
        given_up = weakref.ref(shelf.scorer)
        gc.disable()
        try:
            shelf.activate(second_bundle_path.name)
        finally:
            gc.enable()
        assert given_up() is None


def test_a_broken_version_leaves_the_service_as_it_was(
    serve: Serve, tmp_path: Path, bundle_path: Path, second_bundle_path: Path
) -> None:
    for bundle in (bundle_path, second_bundle_path):
        shutil.copytree(bundle, tmp_path / bundle.name)
    with (
        serve(releases=tmp_path, allow_activate=True) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        (tmp_path / second_bundle_path.name / "manifest.json").write_text("{}")
        assert http.post(f"/v1/models/{second_bundle_path.name}/activate").status_code == 409
        assert http.get(f"/v1/models/{second_bundle_path.name}").status_code == 409
        assert [model["version"] for model in http.get("/v1/models").json()["models"]] == [bundle_path.name]
        assert http.post("/v1/score", json=ITEMS[0]).json()["model"] == bundle_path.name


def test_a_version_that_changes_after_it_was_listed_is_left_out(
    serve: Serve, tmp_path: Path, bundle_path: Path, second_bundle_path: Path
) -> None:
    for bundle in (bundle_path, second_bundle_path):
        shutil.copytree(bundle, tmp_path / bundle.name)
    with serve(releases=tmp_path) as running:
        shelf = running.service.shelf
        before = shelf.list()
        assert shelf.list() == before
        assert len(before.models) == 2
        changed = next(path for path in sorted((tmp_path / second_bundle_path.name).glob("*.joblib")))
        with changed.open("ab") as file:
            file.write(b"more")
        assert [model.version for model in shelf.list().models] == [bundle_path.name]
        with pytest.raises(BundleError):
            shelf.describe(second_bundle_path.name)


def test_without_a_bundle_the_start_fails_with_a_reason(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError), serve(releases=tmp_path, bundle_version=None):
        pass
    (tmp_path / "2026.1.0").mkdir()
    with pytest.raises(BundleError), serve(releases=tmp_path, bundle_version=None):
        pass
