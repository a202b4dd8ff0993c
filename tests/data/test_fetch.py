"""Files are fetched over real HTTP: resumed, checked, and never left half-written under their name."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from data import Dataset
from data.catalog import CatalogFile
from data.errors import (
    DownloadError,
    NoPublicSourceError,
    NotServedError,
    TruncatedError,
    UnsafePathError,
    WrongDigestError,
)
from data.fetch import address_of, fetch_file, new_client


class Fetching:
    """Fetches the made file; remembers progress and pauses."""

    def __init__(self, made: Dataset, server: Any, root: Path) -> None:
        self.made, self.file, self.server, self.root = made, made.files[0], server, root
        self.target = root / made.name / self.file.name
        self.progress: list[int] = []
        self.pauses: list[float] = []

    def __call__(self) -> None:
        with new_client() as client:
            url = address_of(self.made, self.file, self.server.address)
            fetch_file(client, url, self.root, self.made, self.file, self.progress.append, self.pauses.append)

    def left(self) -> list[str]:
        return sorted(path.name for path in self.target.parent.iterdir())


@pytest.fixture
def fetching(made_set: Dataset, file_server: Any, tmp_path: Path) -> Fetching:
    return Fetching(made_set, file_server, tmp_path / "data")


def test_a_file_comes_whole_with_progress(fetching: Fetching, content: bytes) -> None:
    fetching()
    assert fetching.target.read_bytes() == content
    assert fetching.left() == ["made.csv"]
    assert fetching.progress[0] == 0
    assert fetching.progress[-1] == len(content)
    assert fetching.progress == sorted(fetching.progress)
    assert fetching.pauses == []


def test_a_right_file_is_not_fetched_again(fetching: Fetching, file_server: Any) -> None:
    fetching()
    fetching()
    assert len(file_server.requests) == 1


def test_an_altered_file_is_fetched_again(fetching: Fetching, content: bytes) -> None:
    fetching()
    fetching.target.write_bytes(b"altered")
    fetching()
    assert fetching.target.read_bytes() == content


@pytest.mark.parametrize("fault", ["half", "unannounced half"])
def test_a_broken_connection_is_resumed_with_range(
    fetching: Fetching, file_server: Any, content: bytes, fault: str
) -> None:
    file_server.faults = [fault, fault]
    fetching()
    assert fetching.target.read_bytes() == content
    first, second, third = file_server.requests
    assert "Range" not in first
    assert second["Range"] == f"bytes={len(content) // 2}-"
    assert second["If-Range"].startswith('"')
    assert third["Range"] == f"bytes={len(content) * 3 // 4}-"
    assert fetching.left() == ["made.csv"]


def test_a_later_call_goes_on_from_the_part(fetching: Fetching, file_server: Any, content: bytes) -> None:
    part = fetching.target.with_name("made.csv.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(content[:1000])
    fetching()
    assert fetching.target.read_bytes() == content
    assert file_server.requests[0]["Range"] == "bytes=1000-"


def test_a_server_without_range_starts_again(fetching: Fetching, file_server: Any, content: bytes) -> None:
    file_server.resumes = False
    file_server.faults = ["half"]
    fetching()
    assert fetching.target.read_bytes() == content


def test_a_part_of_another_version_is_dropped(fetching: Fetching, file_server: Any, content: bytes) -> None:
    part = fetching.target.with_name("made.csv.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    fetching()
    assert fetching.target.read_bytes() == content
    assert "Range" not in file_server.requests[1]


def test_if_range_starts_a_changed_file_again(fetching: Fetching, file_server: Any, content: bytes) -> None:
    part = fetching.target.with_name("made.csv.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    part.with_name("made.csv.part.etag").write_text('"an older version"')
    fetching()
    assert fetching.target.read_bytes() == content
    assert len(file_server.requests) == 1


def test_a_part_too_long_to_resume_is_dropped(fetching: Fetching, content: bytes) -> None:
    part = fetching.target.with_name("made.csv.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(content + b"more")
    fetching()
    assert fetching.target.read_bytes() == content


def test_transient_refusals_are_tried_again_with_growing_pauses(fetching: Fetching, file_server: Any) -> None:
    file_server.faults = ["503", "429", "500"]
    fetching()
    assert fetching.pauses == [0.5, 1.0, 2.0]


def test_a_truncated_download_keeps_its_part_for_the_next_call(
    fetching: Fetching, file_server: Any, content: bytes
) -> None:
    file_server.resumes = False
    file_server.faults = ["half"] * 20
    with pytest.raises(TruncatedError, match=r"broke off after 1,600,000 of 3,200,000 bytes.*made.csv.part"):
        fetching()
    assert not fetching.target.exists()
    assert "made.csv.part" in fetching.left()
    assert len(fetching.pauses) < 10
    file_server.faults.clear()
    file_server.resumes = True
    fetching()
    assert fetching.target.read_bytes() == content
    assert fetching.left() == ["made.csv"]


@pytest.mark.parametrize("served", [b"short", b"y" * 3_200_000, b"z" * 3_300_000])
def test_a_wrong_file_leaves_nothing_behind(fetching: Fetching, file_server: Any, served: bytes) -> None:
    file_server.files["stance/made/made.csv"] = served
    with pytest.raises(WrongDigestError, match="is not the file that the catalog describes"):
        fetching()
    assert fetching.left() == []


def test_a_wrong_file_never_replaces_what_is_there(fetching: Fetching, file_server: Any) -> None:
    fetching.target.parent.mkdir(parents=True)
    fetching.target.write_bytes(b"an older one")
    file_server.faults = ["wrong"]
    with pytest.raises(WrongDigestError):
        fetching()
    assert fetching.target.read_bytes() == b"an older one"
    assert fetching.left() == ["made.csv"]


def test_a_missing_file_is_told_at_once(fetching: Fetching, file_server: Any) -> None:
    file_server.files.clear()
    with pytest.raises(NotServedError, match=r"made.csv does not exist on the server \(status 404\)"):
        fetching()
    assert fetching.left() == []
    assert len(file_server.requests) == 1


def test_a_refusal_is_told_at_once(fetching: Fetching, file_server: Any) -> None:
    file_server.faults = ["403"]
    with pytest.raises(DownloadError, match="status 403"):
        fetching()
    assert len(file_server.requests) == 1


def test_a_server_that_fails_for_good_is_given_up(fetching: Fetching, file_server: Any) -> None:
    file_server.faults = ["503"] * 20
    with pytest.raises(DownloadError, match="status 503"):
        fetching()
    assert len(fetching.pauses) < 10


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "ftp://127.0.0.1/x", "http://[", "nonsense"])
def test_an_address_that_leads_nowhere_is_one_clear_error(fetching: Fetching, url: str) -> None:
    with new_client() as client, pytest.raises(DownloadError, match="cannot be fetched"):
        fetch_file(client, url, fetching.root, fetching.made, fetching.file, pause=fetching.pauses.append)


def test_a_link_out_of_the_data_folder_is_refused(fetching: Fetching, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (fetching.root / "stance").mkdir(parents=True)
    (fetching.root / "stance/made").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePathError, match="outside"):
        fetching()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(fetching: Fetching) -> None:
    fetching.root.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="cannot be written"):
        fetching()


def test_files_without_a_public_source_need_a_mirror(made_set: Dataset) -> None:
    (file,) = made_set.files
    with pytest.raises(NoPublicSourceError, match="--mirror"):
        address_of(made_set, file)
    assert address_of(made_set, file, "http://host/x/") == "http://host/x/stance/made/made.csv"
    public = CatalogFile("a.csv", 1, sha256(b"a").hexdigest(), url="https://host/a.csv")
    assert address_of(made_set, public) == "https://host/a.csv"


def test_the_client_asks_for_plain_bytes() -> None:
    with new_client() as client:
        assert client.headers["Accept-Encoding"] == "identity"
        assert isinstance(client, httpx.Client)
