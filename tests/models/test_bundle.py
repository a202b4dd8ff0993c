import json
import os
import pickle
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from models import Bundle, latest_bundle, list_bundles, load_bundle, save_bundle, verify_bundle
from models.encoder import PairEncoder
from models.errors import (
    AlteredFileError,
    BundleError,
    BundleNotFoundError,
    LibraryVersionError,
    ManifestError,
    MissingFileError,
    UnknownFileError,
    UnsafePathError,
)

TEXTS = ["You are a stupid idiot.", "Thank you for this careful report."]


@pytest.fixture
def copy(bundle_path: Path, tmp_path: Path) -> Path:
    """A copy of a bundle, to be tampered with."""
    return Path(shutil.copytree(bundle_path, tmp_path / bundle_path.name))


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


class Trap:
    """What an attacker would pickle: loading it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.mark),))


def test_a_bundle_comes_back_as_it_was_saved(tiny: Any, tmp_path: Path) -> None:
    civility, stance = tiny.fit_civility(), tiny.fit_stance()
    described = {"metrics": {"auc": 0.9}, "recipe": {"seed": 3}, "training_data": [{"name": "x"}]}
    written = save_bundle(tmp_path / "r" / "2026.1.0", civility, stance, version="2026.1.0", **described)
    found = load_bundle(tmp_path / "r" / "2026.1.0")
    assert found.manifest == written
    assert found.version == "2026.1.0"
    assert (found.manifest.metrics, found.manifest.recipe) == ({"auc": 0.9}, {"seed": 3})
    assert {"scikit-learn", "numpy"} <= found.manifest.libraries.keys()
    np.testing.assert_array_equal(found.civility.predict_proba(TEXTS), civility.predict_proba(TEXTS))
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["2026.1.0"]


def test_a_bundle_is_never_overwritten(bundle_path: Path, tiny: Any) -> None:
    before = (bundle_path / "manifest.json").read_bytes()
    with pytest.raises(BundleError, match="exists: a bundle is never overwritten"):
        save_bundle(bundle_path, tiny.fit_civility(), tiny.fit_stance(), version="2026.2.0")
    assert (bundle_path / "manifest.json").read_bytes() == before


def test_a_folder_has_the_name_of_its_version(bundle_path: Path, tmp_path: Path, tiny: Any) -> None:
    copy = Path(shutil.copytree(bundle_path, tmp_path / "2099.1.0"))
    with pytest.raises(ManifestError, match=r"is of version 2026\.2\.0: the folder must have its name"):
        verify_bundle(copy)
    with pytest.raises(BundleError, match="must have its name"):
        save_bundle(tmp_path / "x", tiny.fit_civility(), tiny.fit_stance(), version="y")


def test_a_model_that_cannot_score_is_refused_when_loaded(tmp_path: Path, tiny: Any) -> None:
    stance = tiny.fit_stance()
    stance.encoder = PairEncoder(b"not an onnx file", "{}")
    save_bundle(tmp_path / "v1", tiny.fit_civility(), stance, version="v1")
    assert verify_bundle(tmp_path / "v1")
    with pytest.raises(BundleError, match="cannot score"):
        load_bundle(tmp_path / "v1")


def test_a_manifest_must_name_the_libraries(copy: Path) -> None:
    change(copy, lambda manifest: manifest["libraries"].clear())
    with pytest.raises(ManifestError, match="libraries must list scikit-learn"):
        verify_bundle(copy)


def test_a_failed_save_leaves_nothing(tmp_path: Path, tiny: Any) -> None:
    with pytest.raises((TypeError, pickle.PicklingError, AttributeError)):
        save_bundle(tmp_path / "v1", tiny.fit_civility(), lambda: None, version="v1")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["", "../up", "a/b", "a b", ".hidden"])
def test_a_version_is_a_plain_name(tmp_path: Path, tiny: Any, version: str) -> None:
    with pytest.raises(BundleError, match="may hold letters, digits"):
        save_bundle(tmp_path / "x", tiny.fit_civility(), tiny.fit_stance(), version=version)


def test_one_changed_byte_is_noticed(copy: Path) -> None:
    path = copy / "civility.joblib"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for check in (verify_bundle, load_bundle):
        with pytest.raises(AlteredFileError, match=r"civility\.joblib was altered"):
            check(copy)


def test_a_swapped_file_is_never_unpickled(copy: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    joblib.dump(Trap(mark), copy / "stance.joblib")
    with pytest.raises(AlteredFileError):
        load_bundle(copy)
    assert not mark.exists()


def test_a_listed_file_of_another_kind_is_refused(copy: Path) -> None:
    joblib.dump({"not": "a model"}, copy / "stance.joblib")
    digest = sha256((copy / "stance.joblib").read_bytes()).hexdigest()
    change(copy, lambda manifest: manifest["files"].update({"stance.joblib": digest}))
    with pytest.raises(BundleError, match="must hold a StanceModel"):
        load_bundle(copy)


def test_an_unlisted_file_is_refused(copy: Path) -> None:
    (copy / "extra.joblib").write_bytes(b"x")
    with pytest.raises(UnknownFileError, match=r"extra\.joblib is not listed"):
        verify_bundle(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "stance.joblib").unlink()
    with pytest.raises(MissingFileError, match=r"stance\.joblib is listed .* but missing"):
        verify_bundle(copy)


@pytest.mark.parametrize(
    "name", ["../civility.joblib", "/etc/passwd", "sub/x.joblib", "..", "a\\b", "manifest.json"]
)
def test_a_path_out_of_the_folder_is_refused(copy: Path, name: str) -> None:
    change(copy, lambda manifest: manifest["files"].update({name: "0" * 64}))
    with pytest.raises(UnsafePathError, match="not a plain file name"):
        verify_bundle(copy)


def test_a_link_is_refused_even_where_its_target_matches(copy: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.joblib"
    shutil.move(copy / "stance.joblib", outside)
    (copy / "stance.joblib").symlink_to(outside)
    with pytest.raises(UnsafePathError, match="plain file, not a link"):
        verify_bundle(copy)


@pytest.mark.parametrize(
    ("library", "version"),
    [("scikit-learn", "1.2.0"), ("numpy", "1.26.4"), ("unheard-of", "1.0")],
)
def test_other_library_versions_are_refused(copy: Path, library: str, version: str) -> None:
    change(copy, lambda manifest: manifest["libraries"].update({library: version}))
    with pytest.raises(LibraryVersionError, match=f"was made with {library} {version}"):
        verify_bundle(copy)


def test_another_patch_version_is_not(copy: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        major, minor = manifest["libraries"]["scikit-learn"].split(".")[:2]
        manifest["libraries"]["scikit-learn"] = f"{major}.{minor}.99"

    change(copy, edit)
    assert load_bundle(copy).version


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "must hold an object"),
        ('{"format": 2}', "format must be 1"),
        ('{"format": 1}', "must be a"),
    ],
)
def test_a_broken_manifest_is_told(copy: Path, content: str, said: str) -> None:
    (copy / "manifest.json").write_text(content)
    with pytest.raises(ManifestError, match=said):
        verify_bundle(copy)


@pytest.mark.parametrize("digest", ["", "0" * 63, "Z" * 64, 7])
def test_a_digest_has_its_form(copy: Path, digest: object) -> None:
    change(copy, lambda manifest: manifest["files"].update({"civility.joblib": digest}))
    with pytest.raises(ManifestError, match="sha256"):
        verify_bundle(copy)


def test_a_manifest_must_list_both_models(copy: Path) -> None:
    change(copy, lambda manifest: manifest["files"].pop("stance.joblib"))
    with pytest.raises(ManifestError, match=r"must list stance\.joblib"):
        verify_bundle(copy)


def test_no_bundle_is_said(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError, match=r"manifest\.json is missing"):
        load_bundle(tmp_path)
    with pytest.raises(BundleNotFoundError, match="counterpoint train"):
        latest_bundle(tmp_path)


def test_versions_are_ordered_by_number(tmp_path: Path) -> None:
    for name in ("2026.9.0", "2026.11.0", "2026.10.1", "2026.10.0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    (tmp_path / "no-bundle").mkdir()
    names = [path.name for path in list_bundles(tmp_path)]
    assert names == ["2026.9.0", "2026.10.0", "2026.10.1", "2026.11.0"]
    assert latest_bundle(tmp_path).name == "2026.11.0"


def test_a_second_bundle_leaves_the_first_alone(bundle_path: Path, second_bundle_path: Path) -> None:
    first: Bundle = load_bundle(bundle_path)
    before = first.civility.predict_proba(TEXTS)
    second = load_bundle(second_bundle_path)
    assert not np.array_equal(second.civility.predict_proba(TEXTS), before)
    np.testing.assert_array_equal(first.civility.predict_proba(TEXTS), before)
    assert (first.version, second.version) == ("2026.2.0", "2026.1.0")


def test_the_shipped_bundle_is_small_and_says_what_it_was_made_from(shipped_bundle: Bundle) -> None:
    size = sum(path.stat().st_size for path in shipped_bundle.path.iterdir())
    assert size < 60_000_000  # two encoders of about 18 MB each among it
    manifest = shipped_bundle.manifest
    assert manifest.version == shipped_bundle.path.name
    assert manifest.recipe["reported_on"] == "test"
    assert {"civility", "stance"} <= manifest.metrics.keys()
    for entry in manifest.training_data:
        assert entry["licence"]
        assert entry["files"]
