"""`counterpoint keys`: who may call the service."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.cli.database import open_database
from app.cli.moments import read_moment

if TYPE_CHECKING:
    from app.store.keys import StoredKey

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="API keys: who may call the service, and for what.\n\n"
    "They lie in the database that [bold]COUNTERPOINT_DATABASE_URL[/bold] names, and running services follow "
    "within seconds.\n\nExample: [bold]counterpoint keys create news-site --scope score[/bold]",
)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, at most 128 characters.", show_default=False)],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="score, feedback or admin; may be given several times.", show_default="score"),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(min=1, help="Most requests a minute.", show_default="the service's")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="When it ends: in 12h, 90d or 52w, or at a date.", show_default="never"),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Make a key and show it, this once.

    score: ask for scores, summaries and versions. feedback: write feedback and articles' premises. admin:
    activate versions and read /metrics. No scope includes another.

    Example: [bold]counterpoint keys create moderators --scope score --scope feedback --expires 52w[/bold]
    """
    from app.access.keys import SCOPES, new_key
    from app.access.server_secrets import make_server_secret
    from app.settings import load_settings
    from app.store.keys import KeyStore, StoredKey

    scopes = list(dict.fromkeys(scope or ["score"]))
    if unknown := [one for one in scopes if one not in SCOPES]:
        raise typer.BadParameter(f"--scope: {unknown[0]} is none of {', '.join(SCOPES)}")
    if not name.strip() or len(name) > 128 or not name.isprintable():
        raise typer.BadParameter("NAME must have 1 to 128 printable characters")
    now = datetime.now(UTC)
    end = None if expires is None else _end_of(expires, now)
    with open_database() as database:
        server_secrets = make_server_secret(load_settings())
        given, tag = new_key(), server_secrets.newest_tag
        stored = StoredKey(
            id=given.id,
            name=name,
            digest=server_secrets.digest(given, tag),
            secret_tag=tag,
            scopes=scopes,
            requests_a_minute=rate,
            created=now,
            expires=end,
        )
        KeyStore(database).add(stored)
    if as_json:
        typer.echo(json.dumps({"key": str(given), **_told(stored)}))
        return
    typer.echo(str(given))
    Console(stderr=True, soft_wrap=True).print(
        f"The key of {name} ({', '.join(scopes)}), id {given.id}: it is shown this once. From now on the "
        "service takes nobody without a key.",
        markup=False,
        highlight=False,
    )


@app.command("list")
def list_(as_json: _Json = False) -> None:
    """Show every key by its id, revoked and expired ones too; never the key itself.

    Example: [bold]counterpoint keys list[/bold]
    """
    from app.store.keys import KeyStore

    with open_database() as database:
        keys = KeyStore(database).all()
    if as_json:
        typer.echo(json.dumps({"keys": [_told(key) for key in keys]}))
        return
    if not keys:
        typer.echo("no keys")
        return
    table = Table("id", "name", "scopes", "a minute", "state", "created", "expires", "last used")
    for key in keys:
        rate = "–" if key.requests_a_minute is None else f"{key.requests_a_minute:,}"
        moments = (_day(moment) for moment in (key.created, key.expires, key.last_used))
        table.add_row(key.id, key.name, ", ".join(key.scopes), rate, _state(key), *moments)
    Console().print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.", show_default=False)],
    as_json: _Json = False,
) -> None:
    """Make a key useless for good, in every running service within seconds.

    Example: [bold]counterpoint keys revoke 3kq9x0a7bz[/bold]
    """
    from app.errors import NotFoundError
    from app.store.keys import KeyStore

    with open_database() as database:
        known = KeyStore(database).revoke(key_id)
    if not known:
        raise NotFoundError(f"there is no key with the id {key_id}; `counterpoint keys list` shows them")
    typer.echo(json.dumps({"id": key_id, "state": "revoked"}) if as_json else f"{key_id} is revoked")


def _end_of(expires: str, now: datetime) -> datetime:
    end = read_moment(expires, "--expires", towards="future")
    if end <= now:
        raise typer.BadParameter("--expires is past")
    return end


def _told(key: "StoredKey") -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "requests_a_minute": key.requests_a_minute,
        "state": _state(key),
        "created": key.created.isoformat(),
        "expires": None if key.expires is None else key.expires.isoformat(),
        "last_used": None if key.last_used is None else key.last_used.isoformat(),
        "revoked": None if key.revoked is None else key.revoked.isoformat(),
    }


def _state(key: "StoredKey") -> str:
    usable = key.is_usable(datetime.now(UTC))
    return "usable" if usable else "expired" if key.revoked is None else "revoked"


def _day(moment: datetime | None) -> str:
    return "–" if moment is None else moment.isoformat(sep=" ", timespec="minutes")[:16]
