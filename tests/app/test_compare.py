"""`counterpoint compare`: two Perspective-compatible servers on loopback, asked for real."""

import asyncio
import csv
import http.server
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.compare import (
    CompareError,
    Comparison,
    Endpoint,
    Reply,
    Text,
    agreement,
    compare,
    largest_changes,
    read_texts,
    write_csv,
)
from tests.support.background import in_background

SECRET = "Rosebud was his sledge"
KEY = "key-that-nobody-may-see"
Serve = Callable[..., AbstractContextManager[Any]]
Answer = tuple[int, object] | tuple[int, object, dict[str, str]]


def scores(text: str, request: dict[str, Any], power: float = 1.0) -> Answer:
    """Score by length, so that every text has a score of its own."""
    value = min(1.0, len(text) / 100) ** power
    given = {name: {"summaryScore": {"value": value}} for name in request["requestedAttributes"]}
    return 200, {"attributeScores": given, "languages": ["en"]}


def refusal(status: int, reason: str, **headers: str) -> Answer:
    detail = {"errorType": reason}
    message = f"something about {SECRET}"
    return status, {"error": {"code": status, "message": message, "details": [detail]}}, headers


@dataclass
class Site:
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0


Score = Callable[[str, dict[str, Any]], Answer]


@contextmanager
def running_site(score: Score) -> Iterator[Site]:
    """A server that speaks the protocol on a free loopback port."""
    site, lock = Site(), threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                site.requests.append(request)
                site.paths.append(self.path)
                site.at_once += 1
                site.most_at_once = max(site.most_at_once, site.at_once)
            status, body, *headers = score(request["comment"]["text"], request)
            raw = json.dumps(body).encode()
            with lock:
                site.at_once -= 1
            self.send_response(status)
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    with in_background(server):
        yield site


def ask(texts: list[Text], left: Endpoint, right: Endpoint, **options: Any) -> Comparison:
    chosen = {"attributes": ["TOXICITY"], "retries": 5, "backoff_s": 0.001} | options
    return asyncio.run(compare(texts, left, right, **chosen))


def numbered(count: int) -> list[Text]:
    return [Text(f"t{n}", "x" * n) for n in range(1, count + 1)]


def test_both_sides_are_asked_as_the_protocol_says() -> None:
    with running_site(scores) as left, running_site(lambda t, r: scores(t, r, 2.0)) as right:
        found = ask(
            numbered(40),
            Endpoint("left", left.url, KEY),
            Endpoint("right", f"{right.url}/v1alpha1/"),
            attributes=["TOXICITY", "INSULT"],
            language="en",
            concurrency=3,
        )
    for site in (left, right):
        assert sorted(len(request["comment"]["text"]) for request in site.requests) == list(range(1, 41))
        assert 1 <= site.most_at_once <= 3
        for request in site.requests:
            assert request["requestedAttributes"] == {"TOXICITY": {}, "INSULT": {}}
            assert request["doNotStore"] is True
            assert request["languages"] == ["en"]
    assert set(left.paths) == {f"/v1alpha1/comments:analyze?key={KEY}"}
    assert set(right.paths) == {"/v1alpha1/comments:analyze"}
    assert [reply and reply.scores["INSULT"] for reply in found.left] == [n / 100 for n in range(1, 41)]
    assert [reply and reply.scores["TOXICITY"] for reply in found.right] == [
        (n / 100) ** 2 for n in range(1, 41)
    ]
    assert (found.stopped, found.errors()) == ([], {})


def test_busy_sides_are_asked_again() -> None:
    seen: dict[str, int] = {}

    def busy(text: str, request: dict[str, Any]) -> Answer:
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 1:
            return refusal(429, "RATE_LIMIT_EXCEEDED", Retry_After="0")
        return refusal(503, "BUSY") if seen[text] == 2 else scores(text, request)

    with running_site(busy) as left, running_site(scores) as right:
        found = ask(numbered(10), Endpoint("left", left.url), Endpoint("right", right.url))
    assert found.errors() == {}
    assert set(seen.values()) == {3}
    assert len(right.requests) == 10


def test_what_stays_busy_is_told_and_the_rest_goes_on() -> None:
    def moody(text: str, request: dict[str, Any]) -> Answer:
        return refusal(503, "BUSY") if len(text) == 3 else scores(text, request)

    with running_site(moody) as left, running_site(scores) as right:
        found = ask(numbered(5), Endpoint("left", left.url), Endpoint("right", right.url), retries=2)
    assert found.errors() == {("left", "503 BUSY"): 1}
    assert agreement(found, "TOXICITY", 0.5).texts == 4


def test_a_refused_text_costs_only_itself_and_is_not_quoted(tmp_path: Path) -> None:
    def strict(text: str, request: dict[str, Any]) -> Answer:
        return refusal(400, "COMMENT_TOO_LONG") if len(text) == 2 else scores(text, request)

    def odd(text: str, request: dict[str, Any]) -> Answer:
        shapes = {
            3: [],
            4: {"attributeScores": {"TOXICITY": 1}},
            5: {"attributeScores": {"TOXICITY": {"summaryScore": {"value": float("nan")}}}},
        }
        return (200, shapes[len(text)]) if len(text) in shapes else scores(text, request)

    with running_site(strict) as left, running_site(odd) as right:
        found = ask(numbered(6), Endpoint("left", left.url), Endpoint("right", right.url))
    assert found.errors() == {("left", "400 COMMENT_TOO_LONG"): 1, ("right", "an answer of another shape"): 3}
    write_csv(found, tmp_path / "out.csv")
    assert "Rosebud" not in (tmp_path / "out.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (400, "API_KEY_INVALID")]
)
def test_a_side_that_refuses_everything_is_left_alone(status: int, reason: str) -> None:
    with running_site(lambda t, r: refusal(status, reason)) as left, running_site(scores) as right:
        found = ask(numbered(200), Endpoint("left", left.url, KEY), Endpoint("right", right.url))
    assert found.stopped == [f"left: it answers {status} {reason}"]
    assert len(left.requests) <= 8
    assert len(right.requests) == 200
    assert found.errors()["left", "not asked"] >= 192


def test_nobody_there(tmp_path: Path) -> None:
    with running_site(scores) as right:
        pass
    found = ask(numbered(3), Endpoint("left", right.url), Endpoint("right", right.url), retries=1_000)
    assert found.stopped == [
        "left: it cannot be reached (ConnectError)",
        "right: it cannot be reached (ConnectError)",
    ]


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "http://", "http://[::1"])
def test_a_wrong_url(url: str) -> None:
    with pytest.raises(CompareError, match="left: not a URL"):
        ask(numbered(1), Endpoint("left", url), Endpoint("right", "http://127.0.0.1"))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h:1", "http://h:1/v1alpha1/comments:analyze"),
        ("https://h/", "https://h/v1alpha1/comments:analyze"),
        ("https://h/proxy", "https://h/proxy/v1alpha1/comments:analyze"),
        ("https://h/v1alpha1", "https://h/v1alpha1/comments:analyze"),
        ("https://h/v1alpha1/comments:analyze", "https://h/v1alpha1/comments:analyze"),
        ("https://h/v1alpha1?quotaUser=me", "https://h/v1alpha1/comments:analyze?quotaUser=me"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    endpoint = Endpoint("left", url)
    assert str(endpoint.address()) == address
    assert KEY not in repr(Endpoint("left", url, KEY))


def of_scores(*pairs: tuple[float, float]) -> Comparison:
    return Comparison(
        texts=[Text(str(n), "…") for n in range(len(pairs))],
        attributes=("TOXICITY",),
        left=[Reply({"TOXICITY": left}) for left, _ in pairs],
        right=[Reply({"TOXICITY": right}) for _, right in pairs],
        stopped=[],
    )


def test_figures_that_can_be_checked_by_hand() -> None:
    found = agreement(of_scores((0.0, 0.0), (0.5, 0.1), (0.8, 0.81), (1.0, 0.9)), "TOXICITY", 0.8)
    assert (found.texts, found.spearman) == (4, pytest.approx(1.0))
    assert found.pearson == pytest.approx(0.55725 / (0.5675 * 0.657075) ** 0.5)
    assert found.difference == pytest.approx((0.4 + 0.01 + 0.1) / 4)
    assert found.changed == 0.25  # 0.8 is not above 0.8, 0.81 is


def test_figures_that_do_not_exist() -> None:
    one = agreement(of_scores((0.3, 0.4)), "TOXICITY", 0.8)
    assert (one.texts, one.spearman, one.pearson, one.difference) == (1, None, None, pytest.approx(0.1))
    level = agreement(of_scores((0.3, 0.4), (0.3, 0.6)), "TOXICITY", 0.8)
    assert (level.spearman, level.pearson) == (None, None)
    none = agreement(of_scores(), "TOXICITY", 0.8)
    assert (none.texts, none.spearman, none.difference, none.changed) == (0, None, None, None)


def test_the_largest_changes_come_first() -> None:
    changes = largest_changes(of_scores((0.1, 0.2), (0.9, 0.1), (0.5, 0.5), (0.2, 0.6)), 2)
    assert [(change.id, change.left, change.right) for change in changes] == [
        ("1", 0.9, 0.1),
        ("3", 0.2, 0.6),
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "one\r\n\n  \ntwo, three", [("1", "one"), ("4", "two, three")]),
        ("a", "\ufeffone\n", [("1", "one")]),
        (
            "a.jsonl",
            '{"id": "a", "text": "one"}\n\n"two"\n{"text": "three", "id": 7}',
            [("a", "one"), ("3", "two"), ("7", "three")],
        ),
        ("a.ndjson", '{"text": "a\\ud800b"}', [("1", "a\ufffdb")]),
        ("a.csv", 'id,text\n7,"one\ntwo"\n,three\n8,\n', [("7", "one\ntwo"), ("2", "three")]),
        ("a.TSV", "text\tid\none, two\tx\n", [("x", "one, two")]),
    ],
)
def test_files_of_texts(tmp_path: Path, name: str, content: str, expected: list[tuple[str, str]]) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode())
    assert [(text.id, text.text) for text in read_texts(path)] == expected


def test_the_fields_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"comment": {"text": "one", "id": "c1"}}')
    assert read_texts(path, text_field="comment.text", id_field="comment.id") == [Text("c1", "one")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.txt", b"\n \n", "holds no text"),
        ("a.txt", b"caf\xe9", "not in UTF-8"),
        ("a.jsonl", b'{"text": "one"}\n{"text": ', "line 2 is not JSON"),
        ("a.jsonl", b'{"txt": "one"}', "line 1 has no text in the field text"),
        ("a.jsonl", b'{"text": 5}', "line 1 has no text in the field text"),
        ("a.csv", b"id,comment\n1,one\n", "no column text"),
        ("a.csv", b'text\n"one', "not a table"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CompareError, match=message):
        read_texts(path)
    with pytest.raises(CompareError, match="cannot be read"):
        read_texts(tmp_path / "nowhere")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text(
        "".join(json.dumps({"id": f"t{n}", "text": f"{SECRET} {'x' * n}"}) + "\n" for n in range(60))
    )
    return path


def test_the_command(tmp_path: Path, texts: Path, caplog: pytest.LogCaptureFixture) -> None:
    output = tmp_path / "out.csv"
    with (
        caplog.at_level(logging.INFO, logger="counterpoint"),
        running_site(scores) as left,
        running_site(lambda t, r: scores(t, r, 2.0)) as right,
    ):
        command = ["compare", str(texts), "--left", left.url, "--right", right.url, "--output", str(output)]
        command += ["--attribute", "TOXICITY", "--attribute", "INSULT", "--threshold", "0.5", "--top", "3"]
        shown = CliRunner().invoke(
            command_line, command, env={"COUNTERPOINT_LEFT_KEY": KEY, "COLUMNS": "200"}
        )
    assert shown.exit_code == 0, shown.output
    assert f"key={KEY}" in left.paths[0]
    assert "key=" not in right.paths[0]
    assert "Spearman" in shown.output
    assert "Largest changes" in shown.output
    for hidden in (KEY, "Rosebud"):
        assert hidden not in shown.output + caplog.text
        assert hidden not in output.read_text(encoding="utf-8")
    rows = rows_of(output)
    assert [row["id"] for row in rows] == [f"t{n}" for n in range(60)]
    assert float(rows[5]["right_INSULT"]) == pytest.approx(float(rows[5]["left_INSULT"]) ** 2)
    assert output.with_suffix(".png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_texts_are_written_only_if_wanted(tmp_path: Path, texts: Path) -> None:
    output = tmp_path / "out.csv"
    with running_site(scores) as left, running_site(scores) as right:
        command = ["compare", str(texts), "--left", left.url, "--right", right.url, "--output", str(output)]
        shown = CliRunner().invoke(command_line, [*command, "--with-texts", "--no-plot"])
        assert (shown.exit_code, rows_of(output)[0]["text"]) == (0, f"{SECRET} ")
        assert not output.with_suffix(".png").exists()
        again = CliRunner().invoke(command_line, [*command, "--no-plot"])
        assert again.exit_code == 2
        assert "exists" in again.output
        forced = CliRunner().invoke(command_line, [*command, "--no-plot", "--force"])
        assert (forced.exit_code, "text" in rows_of(output)[0]) == (0, False)


def test_texts_without_scores_are_counted(tmp_path: Path, texts: Path) -> None:
    def strict(text: str, request: dict[str, Any]) -> Answer:
        return refusal(400, "COMMENT_TOO_LONG") if len(text) > 60 else scores(text, request)

    with running_site(strict) as left, running_site(scores) as right:
        command = ["compare", str(texts), "--left", left.url, "--right", right.url]
        shown = CliRunner().invoke(
            command_line, [*command, "--output", str(tmp_path / "out.csv"), "--no-plot"]
        )
    assert shown.exit_code == 1
    assert "left: 22 without scores: 400 COMMENT_TOO_LONG" in shown.output


def test_a_wrong_key_is_told_and_what_came_is_kept(tmp_path: Path, texts: Path) -> None:
    output = tmp_path / "out.csv"
    with running_site(lambda t, r: refusal(400, "API_KEY_INVALID")) as left, running_site(scores) as right:
        command = ["compare", str(texts), "--left", left.url, "--right", right.url, "--output", str(output)]
        shown = CliRunner().invoke(command_line, [*command, "--left-key", KEY])
    assert not output.with_suffix(".png").exists()
    assert isinstance(shown.exception, CompareError)
    assert str(shown.exception) == "left: it answers 400 API_KEY_INVALID"
    assert KEY not in shown.output
    assert all(row["right_TOXICITY"] for row in rows_of(output))


def test_the_help_names_the_variables_and_not_their_values() -> None:
    shown = CliRunner().invoke(
        command_line, ["compare", "--help"], env={"COUNTERPOINT_LEFT_KEY": KEY, "COLUMNS": "200"}
    )
    assert "COUNTERPOINT_LEFT_KEY" in shown.output
    assert KEY not in shown.output


def test_two_versions_of_the_service(serve: Serve, tmp_path: Path, releases: Path) -> None:
    path, output = tmp_path / "texts.csv", tmp_path / "out.csv"
    path.write_text(
        "id,text\na,You are a stupid idiot.\nb,Thank you for this careful report.\nc,Where is it?\n"
    )
    with serve(bundle_version="2026.1.0") as old, serve(bundle_version="2026.2.0") as new:
        command = ["compare", str(path), "--left", old.url, "--right", new.url, "--output", str(output)]
        shown = CliRunner().invoke(command_line, [*command, "--language", "en"])
    assert shown.exit_code == 0, shown.output
    rows = {row["id"]: row for row in rows_of(output)}
    assert float(rows["a"]["left_INSULT"]) > float(rows["b"]["left_INSULT"])
    assert rows["b"]["left_TOXICITY"] > rows["b"]["right_TOXICITY"]
