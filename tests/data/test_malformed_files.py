"""A file that is not what it should be gives one error, which names the file and the line."""

from pathlib import Path

import pytest

from data import data_dir, read_civility, read_stance
from data.errors import DataDirError, DataError, MalformedFileError, MissingDataError, UnknownSetError

FAULTS = {
    "civility/davidson-2017/labeled_data.csv": [
        (b"class,text\n1,x\n", "line 1: the column 'tweet' is missing"),
        (b"class,tweet\n1,a\n7,b\n", "line 3: unknown value '7'"),
        (b"class,tweet\n1,a\n1\n", "line 3: 1 fields instead of 2"),
        (b'class,tweet\n1,"a\n', "line 2: unexpected end of data"),
        (b"class,tweet\n1,\xff\n", "line 2: not UTF-8"),
        (b"", "line 1: the column 'class' is missing"),
    ],
    "civility/toxic-spans/tsd_train.csv": [
        (b"spans,text\n[9],ab\n", "line 2: spans names a character outside the text"),
        (b"spans,text\nx,ab\n", "line 2: spans is not a list"),
    ],
    "civility/told-br/ToLD-BR.csv": [
        (
            b"text,homophobia,obscene,insult,racism,misogyny,xenophobia\na,,0,0,0,0,0\n",
            "line 2: the field 'homophobia' is not a number",
        ),
    ],
    "civility/jigsaw-toxic-comments/train.csv.gz": [(b"id,comment_text", "not a whole gzip file")],
    "civility/fox-news-comments/fox-news-comments.json": [
        (b'{"title": "a"}\n', "line 1: the field 'label' is missing"),
        (b'{"title": 5}\n', "line 1: the field 'title' is not text"),
        (b"\n[]\n", "line 2: not a JSON object"),
    ],
    "stance/breaking-nli/dataset.jsonl": [(b"{\n", "line 1: not JSON")],
    "stance/perspectrum/perspective_pool_v1.0.json": [
        (b"{}", "line 1: not a JSON list"),
        (b"[3]", "entry 1: the field 'text' is missing"),
    ],
    "stance/perspectrum/perspectrum_with_answers_v1.0.json": [
        (b'[{"cId": 1, "text": "a", "perspectives": 1}]', "entry 1: the field 'perspectives' is not a list"),
    ],
    "stance/perspectrum/dataset_split_v1.0.json": [(b"{\n1", "line 2: not JSON")],
    "stance/arc/arc_bodies.csv": [
        (b"Body ID,articleBody\n90003,x\n", "line 2: no body has the Body ID '90002'"),
    ],
    "stance/arc/arc_debates.csv": [(b"Headline,debateTitle\nx,y\n", "unknown value 'Open the park'")],
    "stance/fnc-1/train_bodies.csv": [(b"Body ID,articleBody\n7,x\n", "no body has the Body ID '0'")],
    "stance/ibm-claim-stance/claim_stance_dataset_v1.csv": [
        (b'"a,""b"""\n"1"\n', "line 2: 1 fields instead of 2"),
        (b'"a,""b"""\n"1,""x"\n', "line 2: the record does not end"),
    ],
    "stance/ukpconvarg1/a-third_side.csv": [(b"#id\trank\targument\n", "1 sides instead of 2")],
}


@pytest.mark.parametrize(
    ("name", "content", "told"), [(name, *fault) for name, faults in FAULTS.items() for fault in faults]
)
def test_the_fault_is_named(tiny_data: Path, name: str, content: bytes, told: str) -> None:
    (tiny_data / name).write_bytes(content)
    read = read_civility if name.startswith("civility") else read_stance
    with pytest.raises(MalformedFileError) as caught:
        read(tiny_data, [name.split("/")[1]])
    assert told in str(caught.value)
    assert caught.value.path.parent == (tiny_data / name).parent
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named_with_the_remedy(tiny_data: Path) -> None:
    (tiny_data / "stance/fnc-1/train_bodies.csv").unlink()
    with pytest.raises(MissingDataError, match=r"train_bodies.csv is missing.*counterpoint data fetch"):
        read_stance(tiny_data, ["stance/fnc-1"])


def test_a_folder_without_debates_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="ukpconvarg1"):
        read_stance(tmp_path, ["ukpconvarg1"])


def test_unknown_sets_and_sets_of_the_other_task_are_refused(tiny_data: Path) -> None:
    with pytest.raises(UnknownSetError, match="nonsense"):
        read_stance(tiny_data, ["nonsense"])
    with pytest.raises(UnknownSetError, match="arc"):
        read_civility(tiny_data, ["arc"])


def test_the_data_folder_must_be_named_and_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERPOINT_DATA_DIR", raising=False)
    with pytest.raises(DataDirError, match="COUNTERPOINT_DATA_DIR"):
        data_dir()
    monkeypatch.setenv("COUNTERPOINT_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="nowhere does not exist"):
        data_dir()
    monkeypatch.setenv("COUNTERPOINT_DATA_DIR", str(tmp_path))
    assert data_dir() == tmp_path
