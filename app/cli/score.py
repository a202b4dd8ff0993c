"""`counterpoint score`: score one comment, or a whole thread from a file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.threads import Thread, parse_thread, read_thread
from app.threads.source import MAX_BYTES, as_text

if TYPE_CHECKING:
    from app.cli.asking import Outcome
    from app.schemas import ScoreAnswer

__all__ = ["score"]

_STDIN = "-"


def score(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The comment. - reads it from standard input.")
    ] = None,
    premise: Annotated[
        list[str] | None,
        typer.Option(
            help="The sentence towards which the stance is told. Given again: a stance for each.",
            show_default=False,
        ),
    ] = None,
    thread: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-",
            help="Score every comment of a thread: a saved page, its text, or JSON. - reads standard input.",
            show_default=False,
        ),
    ] = None,
    parent: Annotated[
        str | None, typer.Option(help="The comment that TEXT answers.", show_default=False)
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(
            help="The article's title: the premise where none is given and it claims something.",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Ask a running service instead of scoring here.", show_default=False)
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="COUNTERPOINT_API_KEY", help="API key for --url.", show_default=False),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Folder of the models. Default: the newest release.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document and nothing else.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which words and sentences moved the scores.")
    ] = False,
) -> None:
    """Score a comment, or the thread under an article: how civil, and agreeing or not.

    For example:

      counterpoint score "Shops need deliveries." --premise "Cars should be banned from the centre."

      echo "What a fool you are." | counterpoint score - --explain

      counterpoint score --thread data/examples/bike-lane.json

      counterpoint score --thread page.html --url http://127.0.0.1:8000 --json

    Exit status: 0 when every comment was scored, 1 when one could not be, 2 when the command is wrong.
    """
    _refuse_contradictions(text, thread, parent, url, bundle)
    # Loading the models' libraries takes a second, which --help and a wrong command need not wait for.
    from app.cli.asking import ask_in_process, ask_service, comment_request, thread_requests

    page = None if thread is None else _read(thread)
    claims = premise[0] if premise and len(premise) == 1 else premise or None
    if page is not None:
        requests = thread_requests(page, premise=claims, title=title, explain=explain)
    else:
        text = _standard_input_text() if text == _STDIN else text or ""
        article = {name: value for name, value in (("premise", claims), ("title", title)) if value}
        requests = [comment_request(text, parent=parent, article=article, explain=explain)]
    outcomes = ask_in_process(requests, bundle) if url is None else ask_service(requests, url, key)
    if as_json:
        _print_json(_as_the_api(outcomes[0]) if page is None else _document(page, title, outcomes))
    else:
        _show(text or "", page, title, outcomes)
    if len(_answers(outcomes)) < len(outcomes):
        raise typer.Exit(1)


def _refuse_contradictions(
    text: str | None, thread: str | None, parent: str | None, url: str | None, bundle: Path | None
) -> None:
    if (text is None) == (thread is None):
        raise typer.BadParameter("give either TEXT or --thread FILE, and only one of them")
    if thread is not None and parent is not None:
        raise typer.BadParameter("--parent goes with TEXT; a thread knows its own replies")
    if url is not None and bundle is not None:
        raise typer.BadParameter("--bundle goes with scoring here; the service at --url has its own")


def _read(source: str) -> Thread:
    return parse_thread(_standard_input()) if source == _STDIN else read_thread(Path(source))


def _standard_input() -> bytes:
    # One byte more than allowed, so that too much is noticed and never all read.
    return typer.get_binary_stream("stdin").read(MAX_BYTES + 1)


def _standard_input_text() -> str:
    return as_text(_standard_input()).removesuffix("\n")


def _show(text: str, page: Thread | None, title: str | None, outcomes: "list[Outcome]") -> None:
    from app.cli.showing import open_console, show_comment, show_thread

    if page is None:
        show_comment(open_console(), text, outcomes[0])
    else:
        show_thread(open_console(), page, title or page.title, outcomes)


def _answers(outcomes: "list[Outcome]") -> "list[ScoreAnswer]":
    from app.schemas import ScoreAnswer

    return [outcome for outcome in outcomes if isinstance(outcome, ScoreAnswer)]


def _document(page: Thread, title: str | None, outcomes: "list[Outcome]") -> dict[str, object]:
    answers = _answers(outcomes)
    return {
        "title": title or page.title,
        "premise": next((answer.stance.premise for answer in answers if answer.stance), None),
        "model": answers[0].model if answers else None,
        "comments": [
            {
                "id": comment.id,
                "author": comment.author,
                "date": comment.date.isoformat() if comment.date else comment.date_text,
                "parent": comment.parent,
                "text": comment.text,
                "answer": _as_the_api(outcome),
            }
            for comment, outcome in zip(page.comments, outcomes, strict=True)
        ],
    }


def _as_the_api(outcome: "Outcome") -> dict[str, object]:
    return outcome.model_dump(mode="json", exclude_unset=True)


def _print_json(document: dict[str, object]) -> None:
    # Bytes, since JSON is UTF-8 whatever the terminal is.
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2).encode())
