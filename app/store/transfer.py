"""Everything that is stored, row by row, out of one database and into another.

A row is a JSON object: `table` names its table, the rest are its columns; times are ISO 8601. Importing
rows again changes nothing: an article or comment is replaced by a newer one only, an opinion is kept once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import select, tuple_

from app.errors import StoredRowError
from app.store.database import Database
from app.store.feedback import token_key
from app.store.naming import comment_key, storable
from app.store.tables import Article, Comment, FeedbackRow

__all__ = ["TABLES", "Row", "Table", "export_rows", "import_rows"]

Table = Literal["articles", "comments", "feedback"]
Row = dict[str, Any]
_PORTION = 500


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ArticleRow(_Strict):
    id: str
    premise: str
    claims: list[str] | None = None
    url: str | None = None
    title: str | None = None
    updated: AwareDatetime


class _CommentRow(_Strict):
    id: str | None = None
    article_id: str | None = None
    article_url: str | None = None
    digest: str
    text: str | None = None
    language: str
    premise: str | None = None
    model: str
    civility: dict[str, float] | None = None
    stance: str | None = None
    stance_probabilities: dict[str, float] | None = None
    relevance: float | None = None
    action: str
    reasons: list[dict[str, Any]] = []
    scored: AwareDatetime


class _FeedbackRow(_Strict):
    uid: str
    received: AwareDatetime
    source: str
    role: str | None = None
    community: str | None = None
    client_token: str | None = None
    session: str | None = None
    key_id: str | None = None
    comment_id: str | None = None
    article_id: str | None = None
    article_url: str | None = None
    digest: str
    text: str | None = None
    premise: str | None = None
    languages: list[str] = []
    labels: dict[str, float] = {}
    stance: str | None = None
    spans: list[dict[str, Any]] = []
    context: list[str] = []


TABLES: dict[Table, tuple[Any, type[_Strict], tuple[Any, Any]]] = {
    "articles": (Article, _ArticleRow, (Article.updated, Article.id)),
    "comments": (Comment, _CommentRow, (Comment.scored, Comment.key)),
    "feedback": (FeedbackRow, _FeedbackRow, (FeedbackRow.received, FeedbackRow.uid)),
}
"""Name → table, the columns that travel, and its order: by time, then by primary key."""

_JSON = TypeAdapter(Any)


def export_rows(database: Database, table: Table) -> Iterator[Row]:
    """Yield every row of a table as JSON values, oldest first, never holding more than a few hundred.

    Raises:
        StoreError: the database fails.
    """
    model, shape, order = TABLES[table]
    columns = [getattr(model, name) for name in shape.model_fields]
    query = select(*columns, order[1].label("_key")).order_by(*order).limit(_PORTION)
    moment = order[0].key
    after: list[Any] = []
    while True:
        with database.begin() as connection:
            rows = [row._asdict() for row in connection.execute(query.where(*after))]
        if rows:
            after = [tuple_(*order) > tuple_(rows[-1][moment], rows[-1]["_key"])]
        for row in rows:
            del row["_key"]
            yield {"table": table} | _JSON.dump_python(row, mode="json")
        if len(rows) < _PORTION:
            return


def import_rows(
    database: Database, rows: Iterable[Mapping[str, Any]], progress: Callable[[int], None] = lambda _: None
) -> dict[Table, int]:
    """Keep rows, a few hundred in a transaction; return how many came for each table.

    Args:
        database: where to.
        rows: as `export_rows` yields them.
        progress: called with the number of rows after each transaction.

    Raises:
        StoredRowError: a row is not what it should be; those of earlier transactions are kept.
        StoreError: the database fails.
    """
    done: dict[Table, int] = dict.fromkeys(TABLES, 0)
    waiting: list[tuple[Table, Row]] = []
    for number, row in enumerate(rows, 1):
        waiting.append(_read(number, row))
        if len(waiting) >= _PORTION:
            _write(database, waiting, done, progress)
            waiting = []
    _write(database, waiting, done, progress)
    return done


def _read(number: int, row: Mapping[str, Any]) -> tuple[Table, Row]:
    given = dict(row)
    table = given.pop("table", None)
    if table not in TABLES:
        raise StoredRowError(f"row {number}: table must be one of {', '.join(TABLES)}")
    try:
        read = TABLES[table][1].model_validate(given).model_dump()
    except ValidationError as error:
        [first, *_] = error.errors(include_input=False, include_url=False)
        place = ".".join(map(str, first["loc"]))
        raise StoredRowError(f"row {number}: {table}.{place}: {first['msg']}") from None
    if table == "comments":
        read["key"] = comment_key(read["id"], read["digest"], read["article_id"], read["article_url"])
        read["toxicity"] = (read["civility"] or {}).get("TOXICITY")
    if table == "feedback":
        read["token_key"] = token_key(read)
    return table, {name: storable(value) if isinstance(value, str) else value for name, value in read.items()}


def _write(
    database: Database,
    waiting: list[tuple[Table, Row]],
    done: dict[Table, int],
    progress: Callable[[int], None],
) -> None:
    with database.begin(write=True) as connection:
        for table, (model, _, (moment, key)) in TABLES.items():
            rows = [row for name, row in waiting if name == table]
            if not rows:
                continue
            insert = database.insert(model)
            if table == "feedback":
                connection.execute(insert.on_conflict_do_nothing(index_elements=["uid"]), rows)
            else:
                changed = {
                    column.name: insert.excluded[column.name]
                    for column in model.__table__.columns
                    if column.name != key.key
                }
                newer: Any = insert.excluded[moment.key] > moment
                upsert = insert.on_conflict_do_update(index_elements=[key.key], set_=changed, where=newer)
                connection.execute(upsert, sorted(rows, key=lambda row: (row[key.key], row[moment.key])))
            done[table] += len(rows)
    progress(sum(done.values()))
