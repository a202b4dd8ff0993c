"""The same comments in every format give the same scores; every output holds the same."""

import csv
import gzip
import io
import json
import sqlite3
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from sqlalchemy import create_engine, text

from app.rescore import ArchiveError, OutputError
from app.rescore.sql import read_query

COUNT = 120


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    held = io.StringIO(newline="")
    table = csv.DictWriter(held, list(rows[0]), delimiter=delimiter)
    table.writeheader()
    table.writerows(rows)
    return held.getvalue().encode()


@pytest.fixture
def rows(make: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = make(COUNT)
    found[7]["text"] = 'Two\nlines, a "quote", a\ttab; and a , comma.'
    found[8]["text"] = "Crême brûlée — für alle, 漢字 also 😀."
    return found


@pytest.fixture
def expected(bench: Any, rows: Any, write: Any) -> list[dict[str, Any]]:
    bench.run(write(bench.folder / "reference.jsonl", rows), "reference.out.jsonl", run_id="r")
    found: list[dict[str, Any]] = bench.rows("reference.out.jsonl")
    return found


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=50)


def write_all(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Path]:
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    contents = {
        "a.jsonl": lines,
        "b.csv": as_csv(rows),
        "c.tsv": as_csv(rows, "\t"),
        "d.txt": b"\xef\xbb\xbf" + as_csv(rows, ";"),
        "e.json": json.dumps(rows, indent=1).encode(),
        "f.json": json.dumps({"page": 1, "comments": rows}).encode(),
        "g.jsonl.gz": gzip.compress(lines[:4_000]) + gzip.compress(lines[4_000:]),
        "h.csv.zst": zstandard.compress(as_csv(rows)),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    write_parquet(folder / "i.parquet", rows)
    return {path.name: path for path in sorted(folder.iterdir())}


def test_every_format_gives_the_same(bench: Any, rows: Any, expected: Any, tmp_path: Path) -> None:
    folder = tmp_path / "inputs"
    folder.mkdir()
    for name, path in write_all(folder, rows).items():
        bench.run(path, f"{name}.out.jsonl", run_id="r", part_bytes=2_000)
        assert bench.rows(f"{name}.out.jsonl") == expected, name


def test_every_output_holds_the_same(bench: Any, rows: Any, expected: Any) -> None:
    source = bench.folder / "reference.jsonl"
    for name in ("o.csv", "o.csv.gz", "o.jsonl.zst", "o.parquet"):
        bench.run(source, name, run_id="r", part_bytes=2_000)
    columns = list(expected[0])
    plain = (bench.folder / "o.csv").read_text(encoding="utf-8")
    assert gzip.decompress((bench.folder / "o.csv.gz").read_bytes()).decode() == plain
    table = list(csv.DictReader(io.StringIO(plain, newline="")))
    assert [list(row) for row in table[:1]] == [columns]
    assert table == [
        {name: "" if row[name] is None else str(row[name]) for name in columns} for row in expected
    ]
    packed = (bench.folder / "o.jsonl.zst").read_bytes()
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(packed).splitlines()
    assert [json.loads(line) for line in lines] == expected
    assert pq.read_table(bench.folder / "o.parquet").to_pylist() == expected


def test_folders_patterns_and_addresses_are_read_in_the_order_of_names(
    bench: Any, rows: Any, expected: Any, write: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    (folder / "2025").mkdir(parents=True)
    write(folder / "2025" / "a.jsonl", rows[:50])
    (folder / "b.csv").write_bytes(as_csv(rows[50:80]))
    write_parquet(folder / "c.parquet", rows[80:])
    (folder / "README.md").write_text("no archive")
    for place, given in enumerate((folder, f"{folder}/**/*.[jcp]*", f"file://{folder}")):
        bench.run(str(given), f"{place}.jsonl", run_id="r")
        assert bench.rows(f"{place}.jsonl") == expected


def test_duplicate_ids_are_found_over_parts_and_files_in_every_output(
    bench: Any, rows: Any, expected: Any, write: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    write(folder / "a.jsonl", rows)
    (folder / "b.csv").write_bytes(as_csv([rows[3], {"id": "new", "text": "I am new here."}, rows[60]]))
    for name in ("o.jsonl", "o.csv", "o.parquet"):
        outcome = bench.run(folder, name, run_id="r", part_bytes=2_000)
        assert (outcome.rows, outcome.rejects) == (COUNT + 1, 2)
        assert [(row["line"], row["id"], row["reason"]) for row in bench.rejects(name)] == [
            (2, "c3", f"duplicate id, first in line 4 of {folder / 'a.jsonl'}"),
            (4, "c60", f"duplicate id, first in line 61 of {folder / 'a.jsonl'}"),
        ]
        assert sum(outcome.decisions.values()) == COUNT + 1
    assert bench.rows("o.jsonl")[:-1] == expected
    assert pq.read_table(bench.folder / "o.parquet").to_pylist() == bench.rows("o.jsonl")


def test_broken_rows_of_tables(bench: Any) -> None:
    path = bench.folder / "in.csv"
    lines = [
        b'1,"A comment\nof two lines."',
        b"2,too,many",
        b"3",
        b"4,\xff broken",
        b"",
        b"5,fine",
        b"6," + b"a" * 17_000_000,
        b"7,good",
    ]
    path.write_bytes(b"id,text\n" + b"\n".join(lines) + b"\n")
    bench.run(path)
    assert [row["id"] for row in bench.rows()] == ["1", "5", "7"]
    assert [(row["line"], row["reason"]) for row in bench.rejects()] == [
        (4, "has 3 values, the head has 2"),
        (5, "has 1 values, the head has 2"),
        (6, "invalid UTF-8"),
        (9, "the line has more than 16000000 bytes"),
    ]


def test_a_query_is_an_input(bench: Any, rows: Any, expected: Any) -> None:
    path = bench.folder / "comments.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE comments (comment_ID TEXT, comment_content TEXT, spam INTEGER)")
        database.executemany(
            "INSERT INTO comments VALUES (?, ?, 0)", [(row["id"], row["text"]) for row in rows]
        )
        database.execute("INSERT INTO comments VALUES ('s', 'spam', 1)")
    database.close()
    query = "SELECT comment_ID, comment_content FROM comments WHERE spam = 0 ORDER BY rowid"
    bench.run(bench.order(None, sql=f"sqlite:///{path}", query=query), run_id="r")
    assert bench.rows() == expected
    with pytest.raises(ArchiveError, match="no such table"):
        bench.run(bench.order(None, sql=f"sqlite:///{path}", query="SELECT * FROM posts"), "o.jsonl")
    assert not (bench.folder / "o.jsonl.run").exists()


@pytest.fixture
def database(postgres: Any) -> Iterator[str]:
    name = f"rescore_{uuid.uuid4().hex}"
    yield postgres.new_database(name)
    postgres.drop_database(name)


def test_a_query_at_a_server_is_an_input(bench: Any, rows: Any, expected: Any, database: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE comments (id TEXT, body TEXT, sent DATE, likes NUMERIC)"))
        connection.execute(
            text("INSERT INTO comments VALUES (:id, :text, now(), 1.5)"),
            [{"id": row["id"], "text": row["text"]} for row in rows],
        )
    engine.dispose()
    query = (
        "WITH kept AS (SELECT * FROM comments WHERE body LIKE '%') SELECT * FROM kept ORDER BY length(id), id"
    )
    bench.run(bench.order(None, sql=database, query=query), run_id="r", keep=True)
    found = bench.rows()
    assert {(row["likes"], row["sent"][:2]) for row in found} == {("1.5", "20")}
    assert [{name: row[name] for name in expected[0]} for row in found] == expected


def test_the_rows_of_a_server_come_while_it_still_looks_for_more(database: str) -> None:
    query = "SELECT 1 / (20000 - n) AS id, 'A comment.' AS body FROM generate_series(1, 30000) AS n"
    found = read_query(database, query)
    assert sum(1 for _ in islice(found, 10_000)) == 10_000
    with pytest.raises(ArchiveError, match="division by zero"):
        list(found)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "is empty"),
        ("a.csv", b"x,y\n1,2\n", "no column of text recognised among 'x', 'y'"),
        ("a.csv", b"text,text\n1,2\n", "two columns of the same name"),
        ("a.xml", b"<html><body>no</body></html>", "neither a WordPress export nor one of Disqus"),
        ("a.parquet", b"PAR1 broken", "is no Parquet file"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "A comment."}\n' * 900)[:-20], "is damaged"),
        ("a.json", b'[{"text": "a"}, {', "broken JSON"),
    ],
)
def test_what_is_no_archive_is_told(bench: Any, name: str, content: bytes, message: str) -> None:
    path = bench.folder / name
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=message):
        bench.run(path)
    assert not (bench.folder / "out.jsonl").exists()


def test_an_output_of_no_known_format_is_refused(bench: Any, rows: Any, write: Any) -> None:
    for name in ("scores.txt", "scores", "scores.parquet.gz"):
        with pytest.raises(OutputError, match="must end with"):
            bench.run(write(bench.folder / "in.jsonl", rows), name)
