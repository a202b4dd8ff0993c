import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import uvicorn
from typer.testing import CliRunner, Result

from app.cli.score import score
from app.errors import ClientError
from app.main import create_app
from app.settings import Settings
from app.threads import NoCommentsError, ThreadReadError, read_thread
from models.errors import BundleError

ROOT = Path(__file__).parents[2]
PREMISE = "The city should close the square to cars."
OPTIONS = ("--premise", "--thread", "--title", "--url", "--bundle", "--json", "--explain", "--parent")


class Score:
    """The command, with the tiny bundle unless told otherwise."""

    def __init__(self, bundle: Path) -> None:
        self.app = typer.Typer()
        self.app.command()(score)
        self.bundle = ("--bundle", str(bundle))

    def __call__(
        self, *args: str, here: bool = True, stdin: bytes | None = None, columns: int = 200
    ) -> Result:
        bundle = self.bundle if here else ()
        environment = {"COLUMNS": str(columns), "TERM": "dumb"}
        return CliRunner().invoke(
            self.app, [*args, *bundle], input=stdin, env=environment, catch_exceptions=False
        )

    def json(self, *args: str, here: bool = True, stdin: bytes | None = None) -> Any:
        return json.loads(self(*args, "--json", here=here, stdin=stdin).stdout_bytes)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.settled.set()


@pytest.fixture(scope="module")
def command(bundle_path: Path) -> Score:
    return Score(bundle_path)


@pytest.fixture(scope="module")
def service_url(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("store") / "counterpoint.sqlite3"
    settings = Settings(
        releases=bundle_path.parent, bundle_version=bundle_path.name, database_url=f"sqlite:///{database}"
    )
    app = create_app(settings)
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.settled.wait(60), "the server did not start"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


def write(folder: Path, comments: list[dict[str, object]], **article: str) -> str:
    path = folder / "thread.json"
    path.write_text(json.dumps({"article": article, "comments": comments}), encoding="utf-8")
    return str(path)


def test_one_comment(command: Score) -> None:
    result = command("Nonsense, this is simply wrong.", "--premise", PREMISE)
    assert result.exit_code == 0
    assert "Nonsense, this is simply wrong." in result.stdout
    assert f"premise: {PREMISE}" in result.stdout
    for name in ("TOXICITY", "IDENTITY_ATTACK", "relevance", "agree", "neutral", "model 2026.2.0"):
        assert name in result.stdout
    assert any(action in result.stdout for action in ("approve", "review", "reject"))


def test_one_comment_as_json_is_the_answer_of_the_api(command: Score) -> None:
    answer = command.json("Nonsense, this is simply wrong.", "--premise", PREMISE)
    assert answer["model"] == "2026.2.0"
    assert answer["stance"]["premise"] == PREMISE
    assert answer["stance"]["label"] == "disagree"
    assert sum(answer["stance"]["probabilities"].values()) == pytest.approx(1)
    assert "reply_stance" not in answer
    assert "spans" not in answer


def test_without_a_premise_no_stance_is_made_up(command: Score) -> None:
    answer = command.json("Well said, exactly right.")
    assert answer["stance"] is None
    assert answer["stance_omitted"] == "no premise"
    assert "left out: no premise" in command("Well said, exactly right.").stdout


def test_the_title_stands_in_for_the_premise(command: Score) -> None:
    assert command.json("Well said.", "--title", PREMISE)["stance"]["premise"] == PREMISE
    both = command.json("Well said.", "--title", "Square", "--premise", PREMISE)
    assert both["stance"]["premise"] == PREMISE


def test_a_title_that_claims_nothing_gives_way_to_the_lead(command: Score, tmp_path: Path) -> None:
    text = f"Opinion\n\n{PREMISE}\n\nThe rest of it."
    path = write(tmp_path, [{"text": "Well said."}], title="Should the square be closed?", text=text)
    document = command.json("--thread", path)
    assert document["premise"] == PREMISE
    assert document["comments"][0]["answer"]["stance"]["premise_source"] == "lead"
    assert f"{PREMISE} (the lead of the text)" in command("--thread", path).stdout
    alone = write(tmp_path, [{"text": "Well said."}], title="Should the square be closed?")
    assert command.json("--thread", alone)["premise"] == "Should the square be closed?"


def test_several_premises_get_a_stance_each(command: Score, tmp_path: Path) -> None:
    premises = ("--premise", PREMISE, "--premise", "School phones ought to be banned.")
    answer = command.json("Well said.", *premises)
    assert [stance["premise"] for stance in answer["stances"]] == [PREMISE, premises[3]]
    shown = command("Well said.", *premises).stdout
    assert "stance 2" in shown
    assert f"premise: {premises[3]} (given)" in shown
    assert "2: agree" in command("--thread", write(tmp_path, [{"text": "Well said."}]), *premises).stdout
    assert "stances" not in command.json("Well said.", "--premise", PREMISE)


def test_explain_names_the_sentences(command: Score) -> None:
    text = "The bus was late. Nonsense, this is simply wrong."
    shown = command(text, "--premise", PREMISE, "--explain").stdout
    assert "sentences that moved it: “Nonsense, this is simply wrong.” disagree +0." in " ".join(
        shown.replace("│", " ").split()
    )
    assert "sentences" not in command(text, "--premise", PREMISE).stdout


def test_a_reply_is_scored_towards_its_parent(command: Score) -> None:
    answer = command.json("Nonsense, this is simply wrong.", "--parent", "The bus came late.")
    assert answer["reply_stance"]["premise"] == "The bus came late."


def test_the_comment_from_standard_input(command: Score) -> None:
    piped = command.json("-", "--premise", PREMISE, stdin="Très bien, I agree.\n".encode())
    assert piped == command.json("Très bien, I agree.", "--premise", PREMISE)


def test_explain_names_the_words(command: Score) -> None:
    result = command("You are a stupid idiot.", "--explain")
    assert "words that moved it" in result.stdout
    assert "“idiot”" in result.stdout
    assert "“You”" not in command("Thank you for this careful report.", "--explain").stdout
    spans = command.json("You are a stupid idiot.", "--explain")["spans"]
    assert {"begin": 17, "end": 22} in [{"begin": s["begin"], "end": s["end"]} for s in spans]


@pytest.mark.parametrize("text", ["", "   ", "x" * 20_481])
def test_a_comment_that_cannot_be_scored_tells_why(command: Score, text: str) -> None:
    result = command(text)
    assert result.exit_code == 1
    assert "not scored: comment.text" in result.stdout
    problem = command.json(text)
    assert problem["status"] == 422
    assert problem["errors"][0]["field"] == "comment.text"


def test_a_thread_in_a_table(command: Score, example_files: list[Path]) -> None:
    for file in example_files:
        result = command("--thread", str(file))
        assert result.exit_code == 0
        article = json.loads(file.read_text(encoding="utf-8"))
        assert article["article"]["title"] in result.stdout
        for comment in article["comments"]:
            assert comment["author"] in result.stdout
        assert "model    2026.2.0" in result.stdout
        assert "relevance" in result.stdout
        assert "parent: " in result.stdout


def test_the_counts_add_up(command: Score, pages: Path) -> None:
    page = str(pages / "bike-lane.html")
    rows = [line.strip("│ \n").split() for line in command("--thread", page).stdout.splitlines()]
    counts = [
        [int(count) for count in row[1:]]
        for row in rows
        if row and row[0] in {"agree", "disagree", "neutral", "uncertain"} and len(row) == 4
    ]
    decisions = [c["answer"]["decision"]["action"] for c in command.json("--thread", page)["comments"]]
    assert [sum(column) for column in zip(*counts, strict=True)] == [
        decisions.count(action) for action in ("approve", "review", "reject")
    ]


def test_a_thread_as_json(command: Score, pages: Path) -> None:
    document = command.json("--thread", str(pages / "bike-lane.html"))
    assert list(document) == ["title", "premise", "model", "comments"]
    assert (
        document["premise"]
        == document["title"]
        == "One Year On, the Marlow Street Bike Lane Has Earned Its Place"
    )
    first, second, third = document["comments"][:3]
    assert (first["id"], first["author"], first["parent"]) == ("401", "Priory mum", None)
    assert first["date"] == "2026-04-14T08:12:00+01:00"
    assert (second["parent"], third["parent"]) == (None, "402")
    assert "reply_stance" not in second["answer"]
    assert third["answer"]["reply_stance"]["premise"].startswith("I don't agree that it has earned")
    assert third["answer"]["id"] == "403"
    texts = [comment.text for comment in read_thread(pages / "bike-lane.html").comments]
    assert [comment["text"] for comment in document["comments"]] == texts


def test_the_premise_may_be_given_for_a_thread(command: Score, example_files: list[Path]) -> None:
    own = command.json("--thread", str(example_files[0]))
    given = command.json("--thread", str(example_files[0]), "--premise", PREMISE, "--title", "Square")
    assert own["premise"].startswith("The protected bike lane")
    assert (given["premise"], given["title"]) == (PREMISE, "Square")


def test_a_thread_from_standard_input(command: Score, pages: Path) -> None:
    page = pages / "hospital-merger.txt"
    assert command.json("--thread", "-", stdin=page.read_bytes()) == command.json("--thread", str(page))


def test_the_same_answers_through_a_running_service(command: Score, service_url: str, pages: Path) -> None:
    for args in (
        ("--thread", str(pages / "bike-lane.html"), "--explain"),
        ("Nonsense, this is simply wrong.", "--premise", PREMISE, "--parent", "Well said."),
        ("",),
    ):
        here, there = command(*args), command(*args, "--url", service_url, here=False)
        assert (there.stdout, there.exit_code) == (here.stdout, here.exit_code)
    page = ("--thread", str(pages / "bike-lane.html"))
    assert command.json(*page, "--url", service_url, here=False) == command.json(*page)


def test_one_bad_comment_does_not_spoil_the_others(command: Score, tmp_path: Path) -> None:
    comments: list[dict[str, object]] = [
        {"id": 1, "text": "Well said."},
        {"id": 2, "text": ""},
        {"id": 3, "text": "x" * 20_481},
        {"id": 4, "text": "This answers the deleted one.", "parent": 2},
    ]
    path = write(tmp_path, comments, title=PREMISE)
    result = command("--thread", path)
    assert result.exit_code == 1
    assert "2 not scored" in result.stdout
    assert "comment.text is empty" in result.stdout
    assert "comment.text has 20481 bytes in UTF-8, at most 20480 allowed" in result.stdout
    answers = [comment["answer"] for comment in command.json("--thread", path)["comments"]]
    assert ["status" in answer for answer in answers] == [False, True, True, False]
    assert answers[2]["errors"][0]["limit"] == 20_480
    assert "reply_stance" not in answers[3]


def test_markup_and_control_characters_are_shown_and_not_obeyed(command: Score, tmp_path: Path) -> None:
    evil = "[red]not red[/red] [/] \x1b[2Jcleared \x07\u202eright to left \ud800"
    path = write(tmp_path, [{"text": evil, "author": "[bold]\x1b]0;title\x07"}], title="[link=x]T\x1b[0m")
    for args in (
        ("--thread", path),
        ("--thread", path, "--explain"),
        (evil.replace("\ud800", ""), "--parent", evil[:9]),
    ):
        result = command(*args)
        assert result.exit_code == 0
        assert "[red]not red[/red] [/]" in result.stdout
        for character in "\x1b\x07\u202e\ud800":
            assert character not in result.stdout
    assert "[bold]" in command("--thread", path).stdout
    assert "[link=x]T" in command("--thread", path).stdout


def test_eighty_columns_are_enough(command: Score, example_files: list[Path]) -> None:
    for args in (
        ("--thread", str(example_files[0]), "--explain"),
        ("You are a stupid idiot. " * 9, "--explain"),
    ):
        lines = command(*args, columns=80).stdout.splitlines()
        assert max(map(len, lines)) <= 80
        assert any("approve" in line or "review" in line or "reject" in line for line in lines)


@pytest.mark.parametrize(
    "args",
    [(), ("x", "--thread", "y"), ("--thread", "y", "--parent", "x"), ("x", "--url", "http://127.0.0.1:1")],
)
def test_contradictions_are_refused(command: Score, args: tuple[str, ...]) -> None:
    result = command(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr


def test_help_teaches(command: Score) -> None:
    shown = command("--help", here=False).stdout
    for option in OPTIONS:
        assert option in shown
    assert "counterpoint score --thread data/examples/bike-lane.json" in shown
    assert (ROOT / "data" / "examples" / "bike-lane.json").exists()


def test_what_cannot_be_read_or_loaded_is_an_error_of_ours(
    command: Score, pages: Path, tmp_path: Path
) -> None:
    with pytest.raises(ThreadReadError, match=r"missing\.html"):
        command("--thread", "missing.html")
    with pytest.raises(NoCommentsError):
        command("--thread", "-", stdin=b"[]")
    with pytest.raises(BundleError):
        command("Well said.", "--bundle", str(tmp_path), here=False)
    with pytest.raises(ClientError):
        command("Well said.", "--url", "nowhere", here=False)


def test_the_seed_page(command: Score, seed_thread: Path) -> None:
    result = command("--thread", str(seed_thread))
    assert result.exit_code == 0
    assert "2016-11-17 20:51" in result.stdout
    assert "2016-11-18 00:10" in result.stdout
    assert [c["date"] for c in command.json("--thread", str(seed_thread))["comments"]] == [
        "2016-11-17T20:51:00",
        "2016-11-18T00:10:00",
    ]


def test_as_a_process_in_a_pipe(bundle_path: Path, pages: Path) -> None:
    script = "from app.cli import main; main()"
    base = [sys.executable, "-c", script, "score", "--thread", "-", "--bundle", str(bundle_path)]
    page = (pages / "bike-lane.html").read_bytes()
    environment = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    table = subprocess.run(base, input=page, capture_output=True, timeout=120, check=True, env=environment)
    assert b"\x1b" not in table.stdout
    assert b"Priory mum" in table.stdout
    assert max(map(len, table.stdout.splitlines())) > 80
    document = subprocess.run(
        [*base, "--json"], input=page, capture_output=True, timeout=120, check=True, env=environment
    )
    assert len(json.loads(document.stdout)["comments"]) == 12
    assert document.stderr == b""


@pytest.mark.parametrize("options", [("--json",), ()])
def test_a_reader_that_leaves_early_sees_no_traceback(
    bundle_path: Path, pages: Path, options: tuple[str, ...]
) -> None:
    page = str(pages / "bike-lane.html")
    nobody_reads, standard_output = os.pipe()
    os.close(nobody_reads)
    with os.fdopen(standard_output, "wb") as output:
        left = subprocess.run(
            [
                sys.executable,
                "-m",
                "app.cli",
                "score",
                "--thread",
                page,
                "--bundle",
                str(bundle_path),
                *options,
            ],
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=120,
            cwd=ROOT,
            check=False,
        )
    assert left.stderr == b""
    assert left.returncode in {1, 141}
