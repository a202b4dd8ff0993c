"""From HTML to the text that a reader sees, paragraph by paragraph."""

import re
import warnings
from collections.abc import Callable

from bs4 import BeautifulSoup, ParserRejectedMarkup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PageElement, PreformattedString

from app.threads.errors import ThreadFormatError

__all__ = ["attribute", "classes", "parse_html", "text_of_fragment", "visible_text"]

_BLOCKS_NAMES = (
    "address article aside blockquote dd details div dl dt fieldset figcaption figure footer form h1 "
    "h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul"
)
_BLOCKS = frozenset(_BLOCKS_NAMES.split())
_UNSEEN_NAMES = "script style noscript template head title textarea select button iframe svg object"
_UNSEEN = frozenset(_UNSEEN_NAMES.split())
_LINE_BREAK = "\n"
_PARAGRAPH = "\n\n"


def parse_html(text: str) -> BeautifulSoup:
    """Parse `text`, however broken.

    Raises:
        ThreadFormatError: not even a lenient parser makes sense of it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML themes open with an XML declaration
        try:
            return BeautifulSoup(text, "html.parser")
        except ParserRejectedMarkup as error:
            raise ThreadFormatError("nothing recognised: the HTML is too broken to read") from error


def classes(tag: Tag) -> frozenset[str]:
    """The classes of `tag` in lower case."""
    value = tag.get("class") or ()
    return frozenset(" ".join([value] if isinstance(value, str) else value).lower().split())


def attribute(tag: Tag, name: str) -> str:
    """The attribute's value without space around, "" where there is none."""
    value = tag.get(name) or ""
    return (value if isinstance(value, str) else " ".join(value)).strip()


def text_of_fragment(html: str) -> str:
    """The visible text of a piece of HTML, as WordPress's REST interface gives it."""
    return visible_text(parse_html(f"<div>{html}</div>"))


def visible_text(
    root: Tag, skip: Callable[[Tag], bool] = lambda tag: False, enough: int | None = None
) -> str:
    """The text under `root` without the parts that `skip` names; about `enough` characters will do.

    Paragraphs are separated by an empty line, lines of a blockquote begin with "> ", an emoji that was
    replaced by an image is put back.
    """
    pieces: list[str] = []
    # Broken pages nest thousands deep, so this keeps its own stack; None closes a block, text opens one.
    waiting: list[tuple[PageElement | str, int]] = [(child, 0) for child in reversed(root.contents)]
    length = 0
    while waiting and (enough is None or length < enough):
        node, quotes = waiting.pop()
        if isinstance(node, Tag):
            if node.name in _UNSEEN or skip(node):
                continue
            if node.name == "br":
                pieces.append(_LINE_BREAK + "> " * quotes)
            elif node.name == "img":
                pieces.append(_emoji(node))
            else:
                inside = quotes + (node.name == "blockquote")
                if node.name in _BLOCKS:
                    waiting.append((_PARAGRAPH + "> " * quotes, quotes))
                    pieces.append(_PARAGRAPH + "> " * inside)
                waiting.extend((child, inside) for child in reversed(node.contents))
        elif not isinstance(node, NavigableString):
            pieces.append(str(node))
        elif not isinstance(node, PreformattedString):
            pieces.append(re.sub(r"\s+", " ", node))
            length += len(pieces[-1])
    return _tidy("".join(pieces))


def _emoji(image: Tag) -> str:
    alternative = attribute(image, "alt")
    is_emoji = classes(image) & {"emoji", "wp-smiley"} or (
        0 < len(alternative) <= 8 and not alternative.isascii()
    )
    return alternative if is_emoji else ""


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    kept: list[str] = []
    for line in lines:
        is_empty = not line.strip("> ")
        if not is_empty:
            kept.append(line)
        elif kept and kept[-1]:
            kept.append("")
    return "\n".join(kept).strip("\n")
