"""The text of an article page, with its comments underneath as WordPress prints them."""

import re
from dataclasses import dataclass, field

from app.threads.entries import Entry, entry_at
from app.threads.errors import NoCommentsError, ThreadFormatError
from app.threads.limits import refuse_too_many
from app.threads.thread import Thread, ThreadComment

__all__ = ["comments_heading_in", "read_plain"]

_WORD = (
    r"(?:thoughts?|comments?|responses?|repl(?:y|ies)|gedanken?|kommentare?|antwort(?:en)?"
    r"|réflexions?|commentaires?|réponses?|pensamientos?|comentarios?|respuestas?)"
)
_COUNT = (
    r"(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|an?|ein(?:e|en)?|un[ea]?)"
)
_HEADING = re.compile(
    rf"[#\s]*(?:{_COUNT}\s+{_WORD}|comments|kommentare|commentaires|comentarios)\s*(?:\(\d+\))?"
    r"\s*(?:so far|add (?:yours|your own))?\s*[:»→↓]?"
    r"(?P<about>\s*\b(?:on|to|zu|auf|about|sur|à|en|sobre|a(?=\s*[«“\"]))(?!\w):?\s*(?P<title>.*))?",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"[#\s]*(?:no|0|keine|aucun|sin|no hay)\s+"
    r"(?:thoughts|comments|responses|replies|kommentare|commentaires?|comentarios)\b.*",
    re.IGNORECASE,
)
_END = re.compile(
    r"[#\s]*(?:leave an? (?:reply|comment|response)(?: to .*)?(?:\s*cancel reply)?"
    r"|post navigation|cancel reply|(?:add|post|write) (?:a|your) (?:comment|reply)|comments are closed\.?"
    r"|you must be logged in to (?:post a comment|reply)\.?|your email address will not be published\b.*"
    r"|(?:schreibe?|hinterlasse)(?: sie)? eine?n? (?:kommentar|antwort)\b.*|beitragsnavigation"
    r"|laisser un commentaire\b.*|navigation de l['’]article|deja (?:un comentario|una respuesta)\b.*"
    r"|navegación de entradas)\s*",
    re.IGNORECASE,
)
_NAVIGATION = re.compile(r"comment navigation|[←«]?\s*older comments|newer comments\s*[→»]?", re.IGNORECASE)
_PINGBACK = re.compile(r"\s*(?:[•◦▪*+-]\s*)?(?:pingback|trackback):", re.IGNORECASE)
_LINK = re.compile(
    r"\(?(?:log in to )?(?:reply|antworten|répondre|responder|edit|bearbeiten|permalink)\)?(?: to .{1,80})?"
    r"\s*[↓↩⤵]?|(?:like){1,2}|liked by .{1,80}|loading\.\.\.|.{1,60}['’]s avatar",
    re.IGNORECASE,
)
_MODERATION = re.compile(r"your comment is awaiting moderation\.?.{0,80}", re.IGNORECASE)
_BYLINE = re.compile(r"(?:posted|published|updated) (?:on|by)\b.{0,100}|by \S.{0,60}", re.IGNORECASE)
_QUOTES = "\"'“”„«»\u2018\u2019 "
_STRAIGHT = str.maketrans("“”„\u2018\u2019\u2013\u2014", '"""\'\'--')
_SENTENCE_END = (".", "!", "?", ":", "”", '"')
# Between the heading and the first comment stand at most links to older and newer comments.
_LINES_BEFORE_FIRST = 4


@dataclass(slots=True)
class _Open:
    """A comment whose text is still being read; without an entry it is a pingback and is dropped."""

    entry: Entry | None
    parent: str | None = None
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Heading:
    line: int
    title: str
    names_article: bool


def comments_heading_in(text: str) -> bool:
    """Whether some line of `text` reads like the heading of a comment section."""
    return any(map(_heading_or_nobody, text.split("\n")))


def read_plain(text: str) -> Thread:
    """Read the text of a page, lines separated by a newline.

    Raises:
        ThreadFormatError: no line is the heading of a comment section.
        NoCommentsError: there is a heading, and no comment below.
        ThreadTooLargeError: too many comments.
    """
    lines = [line.replace("\xa0", " ").expandtabs(4).rstrip() for line in text.split("\n")]
    headings = [heading for number, line in enumerate(lines) if (heading := _heading(number, line))]
    for heading in sorted(headings, key=lambda heading: not heading.names_article):
        if comments := _comments(lines[heading.line + 1 :]):
            title, body = _article(lines[: heading.line], heading.title)
            return Thread(title=title, text=body, url=None, comments=comments, kind="text")
    if headings or any(_NOBODY.fullmatch(line) for line in lines):
        raise NoCommentsError("no comments found: no line with a date follows the heading of the comments")
    raise ThreadFormatError(
        "nothing recognised: neither JSON, nor HTML, nor text with a line like “2 thoughts on …” "
        "above its comments"
    )


def _heading_or_nobody(line: str) -> bool:
    line = line.strip()
    return bool(_HEADING.fullmatch(line) or _NOBODY.fullmatch(line))


def _heading(number: int, line: str) -> _Heading | None:
    match = _HEADING.fullmatch(line.strip())
    if match is None:
        return None
    return _Heading(number, (match["title"] or "").strip(_QUOTES), match["about"] is not None)


def _comments(lines: list[str]) -> tuple[ThreadComment, ...]:
    done: list[_Open] = []
    days_suffice = _days_suffice(lines)
    opened = bulleted = False
    number, before_first = 0, 0
    while number < len(lines):
        line = lines[number]
        entry = entry_at(lines, number, days_suffice=days_suffice)
        if not opened:
            before_first += bool(line.strip()) and not _PINGBACK.match(line)
            if before_first > _LINES_BEFORE_FIRST:
                return ()
            opened, bulleted = entry is not None, entry is not None and entry.bulleted
        if entry and (entry.bulleted or not bulleted):
            done.append(_Open(entry, lines=[entry.rest] if entry.rest else []))
            number = entry.next_line
            continue
        if _END.fullmatch(line):
            break
        if _PINGBACK.match(line):
            done.append(_Open(None))
        elif done and not _NAVIGATION.fullmatch(line.strip()):
            done[-1].lines.append(line.strip())
        number += 1
    return _numbered([comment for comment in done if comment.entry])


def _days_suffice(lines: list[str]) -> bool:
    """Whether names above dates without a time open comments here: one could be chance, two are not."""
    end = next((number for number, line in enumerate(lines) if _END.fullmatch(line)), len(lines))
    found = [entry for number in range(end) if (entry := entry_at(lines, number, days_suffice=True))]
    return bool(found) and not found[0].date.has_time and sum(not entry.date.has_time for entry in found) > 1


def _numbered(comments: list[_Open]) -> tuple[ThreadComment, ...]:
    refuse_too_many(len(comments))
    above: list[tuple[int, str]] = []
    numbered = []
    for number, comment in enumerate(comments, start=1):
        entry = comment.entry
        if entry is None:
            continue
        while above and above[-1][0] >= entry.indent:
            above.pop()
        id = f"c{number}"
        numbered.append(
            ThreadComment(
                id=id,
                author=entry.author,
                date=entry.date.value,
                date_text=entry.date.text,
                parent=above[-1][1] if above else None,
                text=_comment_text(comment.lines),
            )
        )
        above.append((entry.indent, id))
    return tuple(numbered)


def _comment_text(lines: list[str]) -> str:
    while lines and (not lines[-1] or _LINK.fullmatch(lines[-1]) or _MODERATION.fullmatch(lines[-1])):
        lines.pop()
    while lines and (not lines[0] or _MODERATION.fullmatch(lines[0])):
        lines.pop(0)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _article(lines: list[str], quoted: str) -> tuple[str, str]:
    paragraphs = [paragraph for line in lines if (paragraph := line.strip())]
    if not paragraphs:
        return quoted, ""
    wanted = _comparable(quoted)
    title = next(
        (
            number
            for number, paragraph in enumerate(paragraphs)
            if wanted and _comparable(paragraph) == wanted
        ),
        0,
    )
    return paragraphs[title], "\n\n".join(_without_byline(_blocks(lines, paragraphs[title])))


def _blocks(lines: list[str], title: str) -> list[str]:
    blocks: list[list[str]] = [[]]
    start = next(number for number, line in enumerate(lines) if line.strip() == title) + 1
    for line in lines[start:]:
        if line.strip():
            blocks[-1].append(line.strip())
        elif blocks[-1]:
            blocks.append([])
    return ["\n".join(block) for block in blocks if block]


def _without_byline(blocks: list[str]) -> list[str]:
    is_byline = bool(blocks) and _BYLINE.fullmatch(blocks[0]) and not blocks[0].endswith(_SENTENCE_END)
    return blocks[1:] if is_byline else blocks


def _comparable(title: str) -> str:
    return " ".join(title.casefold().translate(_STRAIGHT).split()).strip(_QUOTES)
