"""Which column holds what, told by its usual names."""

import re
from collections.abc import Iterable

from app.rescore.errors import ArchiveError
from app.rescore.job import Mapping

__all__ = ["FIELDS", "find_columns"]

_USUAL = {
    "text": "text commenttext comment body content message commentcontent commentbody comment.text",
    "id": "id commentid uuid comment.id",
    "article": "articleid article postid storyid threadid commentpostid articleurl story thread article.id",
    "title": "title headline articletitle posttitle storytitle article.title",
    "premise": "premise articlepremise claim motion article.premise",
    "parent": "parentid parent inreplyto commentparent replyto comment.parent.id",
    "parent_text": "parenttext parentcomment parentbody comment.parent.text",
    "language": "language lang comment.language",
}
FIELDS = tuple(_USUAL)
"""What can be known of a comment, in the order of preference where a column could be two of them."""

_NOT_NAME = re.compile(r"[^a-z0-9.]")


def find_columns(columns: Iterable[str], given: dict[str, str | None], source: str) -> Mapping:
    """Return where each field is read from.

    Args:
        columns: the columns of the input; fields of objects with a dot.
        given: field → column that the user names.
        source: what the input is called in messages.

    Raises:
        ArchiveError: a given column does not exist, or there is none with text.
    """
    known = list(columns)
    found: dict[str, str] = {}
    for field, column in given.items():
        if column is None:
            continue
        if column not in known:
            raise ArchiveError(f"{source} has no column {column!r} (--{field}); it has {_listed(known)}")
        found[field] = column
    plain = {_NOT_NAME.sub("", name.lower()): name for name in reversed(known)}
    for field, names in _USUAL.items():
        for name in names.split() if field not in found else ():
            if name in plain and plain[name] not in found.values():
                found[field] = plain[name]
                break
    if "text" not in found:
        raise ArchiveError(
            f"{source}: no column of text recognised among {_listed(known)}; name it with --text"
        )
    return Mapping(**found)


def _listed(columns: list[str]) -> str:
    shown = ", ".join(map(repr, columns[:20]))
    return f"{shown} and {len(columns) - 20} more" if len(columns) > 20 else shown or "no columns"
