"""A saved WordPress page: the article and its comment list, with replies from the nesting."""

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag

from app.threads.commentlist import read_comment_list
from app.threads.errors import NoCommentsError, ThreadFormatError
from app.threads.markup import attribute, classes, parse_html, visible_text
from app.threads.thread import Thread

__all__ = ["read_page"]

_TITLES = (
    "h1.entry-title",
    "h1.post-title",
    "h1.wp-block-post-title",
    '[itemprop="headline"]',
    ".entry-title",
    ".post-title",
)
_BODIES = (
    ".entry-content",
    ".post-content",
    ".article-content",
    ".wp-block-post-content",
    '[itemprop="articleBody"]',
    ".entry",
    "article",
    "main",
)
_ARTICLE_NOISE_NAMES = (
    "comments comments-area comment-respond commentlist comment-list respond sharedaddy "
    "jp-relatedposts entry-meta entry-footer entry-header post-navigation navigation wp-caption "
    "wp-block-image"
)
_ARTICLE_NOISE = frozenset(_ARTICLE_NOISE_NAMES.split())
_NOISE_TAGS = frozenset(["nav", "form", "footer", "figure", "aside"])
_SITE_NAME = re.compile(r"\s+[|«»\u2013\u2014-]\s+[^|«»\u2013\u2014]+$")


def read_page(text: str) -> Thread:
    """Read the HTML of a page.

    Raises:
        ThreadFormatError: the HTML shows neither an article nor a comment list.
        NoCommentsError: an article without comments.
        ThreadTooLargeError: too many comments.
    """
    soup = parse_html(text)
    comments = read_comment_list(soup)
    title, body = _title(soup), _body(soup)
    if not comments:
        if title or body:
            raise NoCommentsError(
                "no comments found: the page has no WordPress comment list with a comment in it"
            )
        raise ThreadFormatError(
            "nothing recognised: the HTML shows neither an article nor a WordPress comment list"
        )
    return Thread(title=title, text=body, url=_url(soup), comments=comments, kind="html")


def _title(soup: BeautifulSoup) -> str:
    for tag in _best_first(soup, _TITLES):
        if title := _one_line(tag):
            return title
    for tag in soup.select('meta[property="og:title"]'):
        if title := " ".join(attribute(tag, "content").split()):
            return title
    for name in ("h1", "title"):
        for tag in soup.find_all(name):
            if title := _one_line(tag):
                return _SITE_NAME.sub("", title) if name == "title" else title
    return ""


def _one_line(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split()) if tag.name == "title" else " ".join(visible_text(tag).split())


def _body(soup: BeautifulSoup) -> str:
    for tag in _best_first(soup, _BODIES):
        if not _is_in_comments(tag) and (text := visible_text(tag, skip=_is_noise)):
            return text
    return ""


def _best_first(soup: BeautifulSoup, selectors: tuple[str, ...]) -> Iterator[Tag]:
    # One walk through a page that may be large, instead of one a selector.
    tags = soup.select(", ".join(selectors))
    for selector in selectors:
        yield from (tag for tag in tags if tag.css.match(selector))


def _is_noise(tag: Tag) -> bool:
    return (
        tag.name in _NOISE_TAGS
        or tag.name == "h1"
        or attribute(tag, "id") in {"comments", "respond"}
        or not _ARTICLE_NOISE.isdisjoint(classes(tag))
        or "comment" in classes(tag)
    )


def _is_in_comments(tag: Tag) -> bool:
    return any(_is_comment_section(parent) for parent in _with_parents(tag))


def _is_comment_section(tag: Tag) -> bool:
    return attribute(tag, "id") == "comments" or "comment" in classes(tag) or "comment-body" in classes(tag)


def _with_parents(tag: Tag) -> Iterator[Tag]:
    yield tag
    yield from tag.parents


def _url(soup: BeautifulSoup) -> str | None:
    for selector, name in (('link[rel="canonical"]', "href"), ('meta[property="og:url"]', "content")):
        for tag in soup.select(selector):
            if (url := attribute(tag, name)).startswith(("https://", "http://")):
                return url
    return None
