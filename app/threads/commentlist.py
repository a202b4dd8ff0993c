"""The comment list of a WordPress page, in the markup of new and old themes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bs4 import BeautifulSoup, Tag

from app.threads.dates import find_date, parse_date
from app.threads.entries import entry_at
from app.threads.limits import refuse_too_many
from app.threads.markup import attribute, classes, visible_text
from app.threads.thread import ThreadComment

__all__ = ["read_comment_list"]

_LISTS_NAMES = "comment-list commentlist comments-list comments_list wp-block-comment-template"
_LISTS = frozenset(_LISTS_NAMES.split())
_ITEMS = frozenset(["comment", "wpd-comment"])
_PINGS = frozenset(["pingback", "trackback"])
_ITEM_TAGS = frozenset(["li", "div", "article"])
_ITEM_ID = re.compile(r"(?:li-|div-)?comment-(\d+)|wpd-comm-(\d+)_\d+")
_DEPTH = re.compile(r"depth-(\d+)")
_AUTHORS = (
    "fn",
    "comment-author-name",
    "wp-block-comment-author-name",
    "comment_author",
    "wpd-comment-author",
    "comment-author",
    "vcard",
)
_DATES_NAMES = (
    "comment-meta commentmetadata comment-metadata comment-date comment_date wp-block-comment-date "
    "comment-time wpd-comment-date"
)
_DATES = frozenset(_DATES_NAMES.split())
_NOT_TEXT_NAMES = (
    "comment-author comment-author-name wp-block-comment-author-name comment_author vcard says reply "
    "comment-reply-link comment-edit-link comment-awaiting-moderation comment-likes sharedaddy "
    "comment-respond comment-avatar avatar wp-block-comment-reply-link wp-block-comment-edit-link "
    "wpd-comment-author wpd-comment-footer wpd-comment-left wpd-comment-label wpd-reply-to"
)
_NOT_TEXT = _DATES | frozenset(_NOT_TEXT_NAMES.split())
_TEXTS_NAMES = (
    "comment-content comment-text comment_text commenttext wp-block-comment-content wpd-comment-text"
)
_TEXTS = frozenset(_TEXTS_NAMES.split())
_LONGEST_LINE = 200
# The oldest themes leave this word bare between the author's name and the date.
_BARE_SAYS = re.compile(r"^(?:says|said)\s*:\s*", re.IGNORECASE)
_SAYS = re.compile(r"\s*\b(?:says|said|sagt|schreibt)\s*:?\s*$", re.IGNORECASE)


@dataclass(slots=True)
class _Item:
    """One comment's element; `number` is WordPress's, in text, and "" where the theme gives none."""

    tag: Tag
    number: str
    parent: "_Item | None"
    is_ping: bool
    authors: dict[str, str] = field(default_factory=dict)
    date_text: str = ""
    machine_date: str = ""
    content: Tag | None = None

    @property
    def visible_parent(self) -> "_Item | None":
        parent = self.parent
        while parent is not None and parent.is_ping:
            parent = parent.parent
        return parent


def read_comment_list(soup: BeautifulSoup) -> tuple[ThreadComment, ...]:
    """All comments of the page in their order, pingbacks left out; empty where there is none.

    Raises:
        ThreadTooLargeError: too many comments.
    """
    items = _items(soup)
    kept = [item for item in items.values() if not item.is_ping]
    refuse_too_many(len(kept))
    ids = _ids(kept)
    return tuple(_comment(item, items, ids) for item in kept)


def _comment(item: _Item, items: dict[int, _Item], ids: dict[int, str]) -> ThreadComment:
    machine, date_text, text = item.machine_date, item.date_text, _text(item, items)
    date = (parse_date(machine) if machine else None) or (parse_date(date_text) if date_text else None)
    author = next((item.authors[name] for name in (*_AUTHORS, "cite") if name in item.authors), None)
    if not (machine or date_text or item.content):
        lines = f"• {text}".split("\n")
        entry = entry_at(lines, 0)
        if entry and (author is None or entry.author is None):
            author, date, date_text = author or entry.author, entry.date.value, entry.date.text
            text = "\n".join([entry.rest, *lines[entry.next_line :]]).strip("\n")
    parent = item.visible_parent
    return ThreadComment(
        id=ids[id(item)],
        author=author,
        date=date,
        date_text=date_text or machine or None,
        parent=ids[id(parent)] if parent else None,
        text=text,
    )


def _items(soup: BeautifulSoup) -> dict[int, _Item]:
    """Every comment by the identity of its element, filled in one walk through the page."""
    items: dict[int, _Item] = {}
    by_depth: dict[int, _Item] = {}
    owners: dict[int, _Item | None] = {}
    lists: dict[int, bool] = {}
    for tag in soup.find_all(True):
        above = tag.parent
        owner = owners.get(id(above))
        has_list_between = lists.get(id(above), False)
        if item := _new_item(tag, owner, has_list_between=has_list_between, by_depth=by_depth):
            items[id(tag)] = owner = item
            has_list_between = False
        elif owner:
            _note(owner, tag)
        owners[id(tag)] = owner
        lists[id(tag)] = has_list_between or tag.name in {"ol", "ul"} or "children" in classes(tag)
    return items


def _new_item(
    tag: Tag, owner: _Item | None, *, has_list_between: bool, by_depth: dict[int, _Item]
) -> _Item | None:
    if tag.name not in _ITEM_TAGS:
        return None
    names = classes(tag)
    match = _ITEM_ID.fullmatch(attribute(tag, "id"))
    number = match[1] or match[2] if match else ""
    is_ping = not _PINGS.isdisjoint(names)
    if not (match or is_ping or not _ITEMS.isdisjoint(names) or _is_in_list(tag)):
        return None
    if (
        tag.name != "li"
        and owner
        and not has_list_between
        and (not owner.number or number in {"", owner.number})
    ):
        owner.number = owner.number or number
        return None
    depth = next((int(match[1]) for name in names if (match := _DEPTH.fullmatch(name))), 0)
    if depth:
        parent = by_depth.get(depth - 1)
    else:
        # An unclosed <li> swallows the next one, which is its neighbour and not its answer.
        is_neighbour = owner is not None and tag.name == "li" and not has_list_between
        parent = owner.parent if owner and is_neighbour else owner
    item = _Item(tag, number, parent, is_ping)
    if depth:
        by_depth[depth] = item
    return item


def _is_in_list(tag: Tag) -> bool:
    above = tag.parent
    return tag.name == "li" and above is not None and not _LISTS.isdisjoint(classes(above))


def _note(item: _Item, tag: Tag) -> None:
    names = classes(tag)
    author = "cite" if tag.name == "cite" and item.content is None else ""
    for name in (*names.intersection(_AUTHORS), *filter(None, [author])):
        if name not in item.authors and (text := _SAYS.sub("", _line(tag, _is_date))):
            item.authors[name] = text
    if tag.name == "time" and not item.machine_date:
        item.machine_date = attribute(tag, "datetime")
        item.date_text = _line(tag) or item.date_text
    elif not item.date_text and not names.isdisjoint(_DATES):
        written = _line(tag, _is_author)
        in_full = find_date(attribute(tag, "title"))
        found = in_full if in_full and in_full.value else find_date(written)
        item.date_text = found.text if found else written[:80]
    if item.content is None and not names.isdisjoint(_TEXTS):
        item.content = tag


def _line(tag: Tag, skip: Callable[[Tag], bool] = lambda tag: False) -> str:
    # Where a broken page never closes the element, the rest of the page is inside it.
    return " ".join(visible_text(tag, skip, enough=_LONGEST_LINE).split())[:_LONGEST_LINE]


def _is_date(tag: Tag) -> bool:
    return not _DATES.isdisjoint(classes(tag)) or "says" in classes(tag)


def _is_author(tag: Tag) -> bool:
    return bool(
        classes(tag) & {"comment-author", "vcard", "fn", "comment-edit-link", "comment-awaiting-moderation"}
    )


def _text(item: _Item, items: dict[int, _Item]) -> str:
    own_cite = item.content is None

    def is_other(tag: Tag) -> bool:
        return (
            id(tag) in items
            or not _NOT_TEXT.isdisjoint(classes(tag))
            or tag.name == "form"
            or attribute(tag, "id") == "respond"
            or (own_cite and tag.name == "cite")
        )

    text = visible_text(item.content or item.tag, is_other)
    return _BARE_SAYS.sub("", text) if own_cite else text


def _ids(items: list[_Item]) -> dict[int, str]:
    taken: set[str] = set()
    ids: dict[int, str] = {}
    for position, item in enumerate(items, start=1):
        name = item.number if item.number and item.number not in taken else f"c{position}"
        taken.add(name)
        ids[id(item)] = name
    return ids
