"""The catalog names everything that one needs to obtain, cite and read the datasets."""

import shutil
from pathlib import Path

import pytest

from data import load_catalog, read_set, shipped_catalog
from data.catalog import CATALOG, choose
from data.errors import CatalogError, UnsafePathError
from data.readers import READERS
from data.verify import dataset_state

NAMES = sorted(shipped_catalog())


def test_every_set_has_a_reader_and_every_reader_a_set() -> None:
    assert set(READERS) == set(NAMES)
    assert [name.split("/")[0] for name in NAMES].count("civility") == 11
    assert [name.split("/")[0] for name in NAMES].count("stance") == 11


@pytest.mark.parametrize("name", NAMES)
def test_every_set_is_described(name: str) -> None:
    dataset = shipped_catalog()[name]
    assert dataset.title
    assert dataset.licence
    assert dataset.citation
    assert dataset.languages
    assert dataset.repository or dataset.homepage or dataset.derived
    assert dataset.labels or dataset.columns
    assert all(len(file.sha256) == 64 and file.bytes for file in dataset.files)


def test_derived_files_claim_no_public_address() -> None:
    derived = [dataset for dataset in shipped_catalog().values() if dataset.derived]
    assert "arc" in {dataset.source for dataset in derived}
    assert not [file.url for dataset in derived for file in dataset.files if file.required and file.url]


def test_public_addresses_are_pinned_to_a_commit() -> None:
    urls = [file.url for dataset in shipped_catalog().values() for file in dataset.files if file.url]
    assert len(urls) > 50
    assert all(
        len(url.removeprefix("https://raw.githubusercontent.com/").split("/")[2]) == 40 for url in urls
    )


def test_a_set_is_found_by_either_name() -> None:
    assert choose(["arc"]) == choose(["stance/arc"]) == [shipped_catalog()["stance/arc"]]
    assert len(choose(())) == 22


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('name = "stance/arc"', 'name = "stance/.."', UnsafePathError),
        ('name = "stance/arc"', 'name = "/etc/arc"', CatalogError),
        ('name = "labeled_data.csv"', 'name = "../labeled_data.csv"', UnsafePathError),
        ('name = "labeled_data.csv"', 'name = "/tmp/labeled_data.csv"', UnsafePathError),
        ('name = "labeled_data.csv"', 'name = ".hidden"', UnsafePathError),
        ('name = "labeled_data.csv", bytes', 'name = "a", size', CatalogError),
        ('name = "labeled_data.csv", bytes = ', 'name = "a", bytes = -', CatalogError),
        ('licence = "MIT"', 'licence = ""', CatalogError),
        ('licence = "MIT"', 'license = "MIT"', CatalogError),
        ("rows = 24783", "rows = 0", CatalogError),
        ('discuss = "neutral"', 'discuss = "maybe"', CatalogError),
        ("PROFANITY = 1", "SWEARING = 1", CatalogError),
        ("[public]", "[public", CatalogError),
    ],
)
def test_a_wrong_catalog_is_refused(tmp_path: Path, old: str, new: str, error: type[CatalogError]) -> None:
    text = CATALOG.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "catalog.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(error):
        load_catalog(path)


def test_a_catalog_without_sets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text("")
    with pytest.raises(CatalogError, match="names no dataset"):
        load_catalog(tmp_path / "catalog.toml")
    with pytest.raises(CatalogError, match="cannot be read"):
        load_catalog(tmp_path / "none.toml")


def test_every_real_folder_and_file_is_in_the_catalog(real_data: Path) -> None:
    assert {f"{path.parent.name}/{path.name}" for path in real_data.glob("*/*") if path.is_dir()} == set(
        NAMES
    )
    for dataset in shipped_catalog().values():
        assert {path.name for path in (real_data / dataset.name).iterdir()} == {
            file.name for file in dataset.files
        }


@pytest.mark.parametrize("name", NAMES)
def test_real_files_have_the_catalogs_digests_and_rows(real_data: Path, name: str) -> None:
    dataset = shipped_catalog()[name]
    assert dataset_state(real_data, dataset)[0] == "present"
    rows = read_set(real_data, dataset)
    assert len(rows) == dataset.rows
    assert {row.source for row in rows} == {dataset.source}
    assert all(row.text and row.group for row in rows)


def test_no_reserved_post_is_in_the_real_arc(real_data: Path) -> None:
    folder = real_data / "stance/arc"
    reserved = set((folder / "reserved_body_ids.txt").read_text().split())
    assert len(reserved) == 784
    rows = read_set(real_data, shipped_catalog()["stance/arc"])
    labels = [row.label for row in rows]
    assert (labels.count("agree"), labels.count("disagree"), labels.count("neutral")) == (1208, 1373, 1083)


def test_a_reserved_post_in_public_files_changes_nothing(real_data: Path, tmp_path: Path) -> None:
    arc = shipped_catalog()["stance/arc"]
    folder = tmp_path / arc.name
    shutil.copytree(real_data / arc.name, folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    body_id = (folder / "reserved_body_ids.txt").read_text().split()[0]
    claim = read_set(real_data, arc)[0].premise
    for name, line in (
        ("arc_bodies.csv", f"{body_id},A reserved post\n"),
        ("arc_stances_train.csv", f'"{claim}",{body_id},agree\n'),
        ("arc_stances_test.csv", f'"{claim}",{body_id},unrelated\n'),
    ):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(line)
    assert read_set(tmp_path, arc) == read_set(real_data, arc)
