"""JSON: the project's own example threads, WordPress's REST interface, and what lies near them."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from app.threads.dates import parse_date
from app.threads.errors import NoCommentsError, ThreadFieldError, ThreadFormatError, ThreadJsonError
from app.threads.limits import refuse_too_many
from app.threads.markup import text_of_fragment
from app.threads.source import without_lone_surrogates
from app.threads.thread import Thread, ThreadComment

__all__ = ["read_json"]

_ARTICLE = ("article", "post", "story")
_COMMENTS = ("comments", "replies", "responses")
_TITLE = ("title", "headline")
_TEXT = ("text", "body", "content")
_URL = ("url", "link")
_AUTHOR = ("author_name", "author", "user", "name")
_DATE = ("date", "created_at", "createdAt", "published", "timestamp", "time")
_PARENT = ("parent", "parent_id", "parentId", "in_reply_to")
_NO_PARENT = (None, "", 0, "0")
_LATEST_SECOND = 253_402_300_799


def read_json(text: str) -> Thread:
    """Read an object with comments, or a list of them.

    Raises:
        ThreadJsonError: not JSON; names the line.
        ThreadFieldError: a field holds the wrong thing; names its path.
        ThreadFormatError: JSON without a list of comments.
        NoCommentsError: the list is empty.
        ThreadTooLargeError: too many comments.
    """
    document = _parsed(text)
    article, entries, path = _parts(document)
    comments = _comments(entries, path)
    if not comments:
        raise NoCommentsError(f"no comments found: {path} is empty")
    return Thread(
        title=_string(article, _TITLE, "article") or "",
        text=_string(article, _TEXT, "article") or "",
        url=_string(article, _URL, "article"),
        comments=comments,
        kind="json",
        premise=_string(article, ("premise",), "article"),
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"the JSON is broken in line {error.lineno}, column {error.colno}: {error.msg}"
        raise ThreadJsonError(message, error.lineno) from error
    except RecursionError as error:
        raise ThreadJsonError("the JSON is nested too deeply") from error
    except ValueError as error:
        raise ThreadJsonError("the JSON holds a number with too many digits") from error


def _parts(document: object) -> tuple[Mapping[str, Any], list[Any], str]:
    """The article, the list of comments, and what the list is called in messages."""
    if isinstance(document, list):
        return {}, document, "comments"
    if isinstance(document, dict):
        name = next((name for name in _COMMENTS if name in document), None)
        if name is not None:
            entries = document[name]
            if not isinstance(entries, list):
                raise ThreadFieldError(name, f"expected a list, found {_kind(entries)}")
            article = next((document[key] for key in _ARTICLE if document.get(key) is not None), document)
            if not isinstance(article, dict):
                raise ThreadFieldError("article", f"expected an object, found {_kind(article)}")
            return article, entries, name
    raise ThreadFormatError(
        'nothing recognised: JSON, but neither a list of comments nor an object with "comments"'
    )


def _comments(entries: list[Any], path: str) -> tuple[ThreadComment, ...]:
    rows = [(where, _object(entry, where), above) for where, entry, above in _with_nested(entries, path)]
    refuse_too_many(len(rows))
    ids = _ids(rows)
    known = set(ids.values())
    comments = []
    for where, entry, above in rows:
        named = next((entry[key] for key in _PARENT if entry.get(key) not in _NO_PARENT), None)
        parent = ids[above] if above else _id(named, f"{where}.parent") if named is not None else None
        date, date_text = _date(entry, where)
        comments.append(
            ThreadComment(
                id=ids[where],
                author=_author(entry, where),
                date=date,
                date_text=date_text,
                # The comment that is answered may have been deleted since.
                parent=parent if parent in known else None,
                text=_string(entry, _TEXT, where) or "",
            )
        )
    _refuse_circles(comments)
    return tuple(comments)


def _with_nested(entries: list[Any], path: str) -> Iterator[tuple[str, Any, str | None]]:
    """Every comment with its path and the path of the one it stands in, replies after what they answer."""
    waiting = [(f"{path}[{n}]", entry, None) for n, entry in enumerate(entries)][::-1]
    rows: list[tuple[str, Any, str | None]] = list(waiting)
    while rows:
        where, entry, above = rows.pop()
        yield where, entry, above
        for key in ("replies", "children") if isinstance(entry, dict) else ():
            inner = entry.get(key)
            if isinstance(inner, list):
                rows.extend(
                    (f"{where}.{key}[{n}]", reply, where) for n, reply in reversed(list(enumerate(inner)))
                )


def _ids(rows: list[tuple[str, dict[str, Any], str | None]]) -> dict[str, str]:
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for where, entry, _ in rows:
        if entry.get("id") is not None:
            id = _id(entry["id"], f"{where}.id")
            if id in taken:
                raise ThreadFieldError(f"{where}.id", f"{id!r} is the id of an earlier comment")
            taken.add(id)
            ids[where] = id
    free = (f"c{n}" for n in range(1, len(rows) * 2 + 1) if f"c{n}" not in taken)
    return {where: ids[where] if where in ids else next(free) for where, _, _ in rows}


def _id(value: object, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ThreadFieldError(where, f"expected text or a whole number, found {_kind(value)}")
    return without_lone_surrogates(str(value))


def _author(entry: Mapping[str, Any], where: str) -> str | None:
    for key in _AUTHOR:
        value = entry.get(key)
        if isinstance(value, dict):
            return _string(value, ("name", "display_name", "username"), f"{where}.{key}")
        # WordPress also gives the author's number, which is nobody's name.
        if isinstance(value, str) and value.strip():
            return without_lone_surrogates(value.strip())
    return None


def _date(entry: Mapping[str, Any], where: str) -> tuple[datetime | None, str | None]:
    key = next((key for key in (*_DATE, "date_gmt") if entry.get(key) not in (None, "")), None)
    if key is None:
        return None, None
    value = entry[key]
    if isinstance(value, int | float) and not isinstance(value, bool):
        is_second = 0 <= value <= _LATEST_SECOND
        return (datetime.fromtimestamp(value, UTC) if is_second else None), str(value)
    if not isinstance(value, str):
        raise ThreadFieldError(f"{where}.{key}", f"expected a date, found {_kind(value)}")
    date = parse_date(value)
    if key == "date_gmt" and date is not None and date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return date, without_lone_surrogates(value.strip()) or None


def _string(entry: Mapping[str, Any], keys: tuple[str, ...], where: str) -> str | None:
    """The first of `keys` that is there; WordPress wraps it in {"rendered": HTML}."""
    for key in keys:
        value = entry.get(key)
        if isinstance(value, dict) and isinstance(value.get("rendered"), str):
            return text_of_fragment(without_lone_surrogates(value["rendered"]))
        if isinstance(value, str):
            return without_lone_surrogates(re.sub("\r\n?", "\n", value)).strip()
        if value is not None:
            raise ThreadFieldError(f"{where}.{key}", f"expected text, found {_kind(value)}")
    return None


def _object(entry: object, where: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ThreadFieldError(where, f"expected an object, found {_kind(entry)}")
    return entry


def _refuse_circles(comments: list[ThreadComment]) -> None:
    parents = {comment.id: comment.parent for comment in comments}
    reaches_article: set[str] = set()
    for comment in comments:
        path: list[str] = []
        on_path: set[str] = set()
        id: str | None = comment.id
        while id is not None and id not in reaches_article:
            if id in on_path:
                raise ThreadFieldError("parent", f"comment {id!r} answers itself through its own replies")
            path.append(id)
            on_path.add(id)
            id = parents[id]
        reaches_article.update(path)


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
