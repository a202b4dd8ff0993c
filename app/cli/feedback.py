"""`counterpoint feedback`: say what a comment's labels should be."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["feedback"]

_PORTION = 100


def feedback(
    text: Annotated[str | None, typer.Argument(help="The comment.", show_default=False)] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Attribute and score, such as INSULT=1; may be repeated.", show_default=False),
    ] = None,
    stance: Annotated[
        str | None, typer.Option(help="agree, disagree or neutral.", show_default=False)
    ] = None,
    premise: Annotated[
        str | None, typer.Option(help="What the stance is towards.", show_default=False)
    ] = None,
    source: Annotated[str, typer.Option(help="Who says so.")] = "command line",
    role: Annotated[str | None, typer.Option(help="moderator or reader.", show_default=False)] = None,
    community: Annotated[
        str | None, typer.Option(help="Where the comment stands.", show_default=False)
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="JSON Lines: a body of POST /v1/feedback a line.", show_default=False),
    ] = None,
    url: Annotated[str, typer.Option(help="The running service.")] = "http://127.0.0.1:8000",
    api_key: Annotated[
        str | None,
        typer.Option("--key", envvar="COUNTERPOINT_API_KEY", help="API key for --url.", show_default=False),
    ] = None,
) -> None:
    """Tell a running service what labels comments should have, for the next training.

    For example:

      counterpoint feedback "What a clown show." --label INSULT=0 --stance disagree --premise "Ban cars."

      counterpoint feedback --file decisions.jsonl

    A file may be sent again after a failure: its portions are kept once. Exit status: 0 when all is kept.
    """
    from app.client import Client
    from app.store.naming import digest_of

    if (text is None) == (file is None):
        raise typer.BadParameter("give either TEXT or --file, and only one of them")
    if file is not None:
        items = _read(file)
    else:
        given = {"stance": stance, "role": role, "community": community}
        items = [
            {"comment": {"text": text}, "labels": _labels(label or []), "source": source}
            | {name: value for name, value in given.items() if value is not None}
            | ({"article": {"premise": premise}} if premise is not None else {})
        ]
    kept = 0
    with Client(url, api_key=api_key, retries=2) as client:
        for begin in range(0, len(items), _PORTION):
            portion = items[begin : begin + _PORTION]
            key = None if file is None else digest_of(f"{begin} {json.dumps(portion)}")
            kept += len(client.give_feedback(portion, key=key).ids)
    typer.echo(f"{kept:,} kept")


def _labels(given: list[str]) -> dict[str, float]:
    labels = {}
    for one in given:
        name, _, score = one.partition("=")
        try:
            labels[name] = float(score)
        except ValueError:
            raise typer.BadParameter(
                f"--label {one}: give an attribute and a score, such as INSULT=1"
            ) from None
    return labels


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        items = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--file {file}: {error}") from None
    if not all(isinstance(item, dict) for item in items):
        raise typer.BadParameter(f"--file {file}: every line must be a JSON object")
    return items
