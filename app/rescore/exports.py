"""Comments out of the exports of WordPress, Disqus and Coral, and out of JSON documents.

Sources: WordPress's wp-admin/includes/export.php (WXR 1.2), Disqus's "Custom XML import format", the GraphQL
and database types of coralproject/talk.
"""

from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from app.rescore.elements import INVALID, Element, read_elements
from app.rescore.errors import ArchiveError
from app.rescore.files import open_address
from app.rescore.lines import TOO_LONG, read_lines
from app.rescore.reading import HTML, LINE, REJECTED
from app.rescore.recognition import LISTS
from app.rescore.scratch import ARTICLE, TITLE, Record

__all__ = ["read_coral", "read_disqus", "read_json_document", "read_wordpress"]

_ITEM = "rss/channel/item"
_COMMENT = f"{_ITEM}/wp:comment"
_THREAD, _POST = "disqus/thread", "disqus/post"


def read_wordpress(address: str, name: str) -> Iterator[Record]:
    """Yield the comments of a WordPress export (WXR); the title of the post is the premise's source.

    Raises:
        ArchiveError: it is broken, or not safe.
    """
    with open_address(address) as file:
        for element in read_elements(file, name, frozenset({_ITEM, _COMMENT})):
            if element.path == _COMMENT:
                yield _of_wordpress(element)


def _of_wordpress(element: Element) -> Record:
    fields, post = element.fields, element.above.fields if element.above else {}
    kind = fields.get("wp:comment_type", "").strip()
    record = {
        LINE: element.line,
        HTML: True,
        "id": fields.get("wp:comment_id", "").strip() or None,
        "text": fields.get("wp:comment_content"),
        "article": post.get("wp:post_id", "").strip() or None,
        TITLE: post.get("title", "").strip() or None,
        "parent": fields.get("wp:comment_parent", "").strip().lstrip("0") or None,
        "author": fields.get("wp:comment_author"),
        "date": fields.get("wp:comment_date_gmt"),
        "url": post.get("link"),
        "status": fields.get("wp:comment_approved"),
    }
    return _valid(record, "a pingback or the like, no comment" if kind not in {"", "comment"} else None)


def read_disqus(address: str, name: str) -> Iterator[Record]:
    """Yield the comments and the articles of a Disqus export.

    Raises:
        ArchiveError: it is broken, or not safe.
    """
    with open_address(address) as file:
        for element in read_elements(file, name, frozenset({_THREAD, _POST})):
            fields = element.fields
            if element.path == _THREAD:
                yield {ARTICLE: True, "id": fields.get("@dsq:id"), "title": fields.get("title", "").strip()}
                continue
            record = {
                LINE: element.line,
                HTML: True,
                "id": fields.get("@dsq:id"),
                "text": fields.get("message"),
                "article": fields.get("thread@dsq:id"),
                "parent": fields.get("parent@dsq:id"),
                "date": fields.get("createdAt"),
                "status": "deleted" if fields.get("isDeleted", "").strip() == "true" else "published",
            }
            yield _valid(record, None)


def _valid(record: Record, reason: str | None) -> Record:
    if any(isinstance(value, str) and INVALID in value for value in record.values()):
        reason = "invalid UTF-8"
    return record if reason is None else {LINE: record[LINE], "id": record["id"], REJECTED: reason}


def read_coral(address: str, name: str) -> Iterator[Record]:
    """Yield the comments and stories of Coral: lines or a document of JSON.

    Raises:
        ArchiveError: it is broken.
    """
    for number, (kind, value) in enumerate(_coral_values(address, name), start=1):
        if isinstance(value, str):
            yield {LINE: number, REJECTED: value}
        elif kind == "stories" or (
            "metadata" in value and "storyID" not in value and "revisions" not in value
        ):
            metadata = value.get("metadata")
            title = metadata.get("title") if isinstance(metadata, dict) else None
            yield {ARTICLE: True, "id": _coral_id(value), "title": title}
        else:
            yield {LINE: number, **_of_coral(value)}


def _of_coral(value: Record) -> Record:
    story, parent, body = value.get("story"), value.get("parent"), value.get("body")
    if (
        isinstance(revisions := value.get("revisions"), list)
        and revisions
        and isinstance(revisions[-1], dict)
    ):
        body = revisions[-1].get("body", body)
    metadata = story.get("metadata") if isinstance(story, dict) else None
    return {
        HTML: True,
        "id": _coral_id(value),
        "text": body,
        "article": value.get("storyID") or (_coral_id(story) if isinstance(story, dict) else None),
        TITLE: metadata.get("title") if isinstance(metadata, dict) else None,
        "parent": value.get("parentID") or (_coral_id(parent) if isinstance(parent, dict) else None),
        "date": value.get("createdAt"),
        "status": value.get("status"),
    }


def _coral_id(value: Record) -> Any:
    id = value.get("id", value.get("_id"))
    return id.get("$oid") if isinstance(id, dict) else id


def _coral_values(address: str, name: str) -> Iterator[tuple[str, Record | str]]:
    with open_address(address) as file:
        lines = read_lines(file, 0, None)
        first = next(lines, (b"", 0))[0]
        is_lines = _json_object(first) is not None
    if not is_lines:
        for path in _lists_of(address, name):
            kind = path.removesuffix(".item").rsplit(".", 1)[-1]
            for value in _items(address, name, path):
                yield kind, value if isinstance(value, dict) else "not an object of JSON"
        return
    with open_address(address) as file:
        for line, _ in read_lines(file, 0, None):
            if line.strip():
                yield "", "the line is too long" if line is TOO_LONG else _json_object(line) or "broken JSON"


def _json_object(line: bytes) -> Record | None:
    try:
        value = from_json(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def read_json_document(address: str, name: str) -> Iterator[Record]:
    """Yield the objects of the first list in a JSON document.

    Raises:
        ArchiveError: it is broken, or has no list.
    """
    for number, value in enumerate(_items(address, name, _lists_of(address, name)[-1]), start=1):
        yield (
            {LINE: number, **value}
            if isinstance(value, dict)
            else {
                LINE: number,
                REJECTED: "not an object of JSON",
            }
        )


def _lists_of(address: str, name: str) -> list[str]:
    """Paths of the lists to read, stories before comments; of other lists the first one."""
    ijson = _ijson(name)
    found = []
    with open_address(address) as file:
        try:
            for path, event, _ in ijson.parse(file, use_float=True):
                key = path.rsplit(".", 1)[-1]
                if (
                    event == "start_array"
                    and (path == "" or key in {*LISTS, "stories"})
                    and ".item" not in path
                ):
                    found.append(f"{path}.item" if path else "item")
                    if path == "":
                        break
        except ijson.JSONError as error:
            raise ArchiveError(f"{name} is broken JSON: {error}") from None
    if not found:
        raise ArchiveError(f"{name} is JSON without a list of comments")
    return sorted(found, key=lambda path: "stories" not in path)


def _items(address: str, name: str, path: str) -> Iterator[Any]:
    ijson = _ijson(name)
    with open_address(address) as file:
        try:
            yield from ijson.items(file, path, use_float=True)
        except ijson.JSONError as error:
            raise ArchiveError(f"{name} is broken JSON: {error}") from None


def _ijson(name: str) -> Any:
    try:
        import ijson
    except ImportError:
        raise ArchiveError(f"{name}: a JSON document needs pip install 'counterpoint[archive]'") from None
    return ijson
