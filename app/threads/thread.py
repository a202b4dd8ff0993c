"""A thread: an article and the comments underneath."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["Thread", "ThreadComment", "ThreadKind"]

ThreadKind = Literal["text", "html", "json"]


@dataclass(frozen=True, slots=True)
class ThreadComment:
    """One comment.

    `date` is aware only where the file names an offset. `date_text` is the date as written, also where it
    could not be understood and `date` is None. `parent` is the id of the comment that is answered.
    """

    id: str
    author: str | None
    date: datetime | None
    date_text: str | None
    parent: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Thread:
    """An article and its comments, in the order of the file.

    `title` and `text` are empty where the file has none. Paragraphs are separated by an empty line. Ids
    of comments are unique, parents exist, and nobody answers themselves through others.
    """

    title: str
    text: str
    url: str | None
    comments: tuple[ThreadComment, ...]
    kind: ThreadKind
    premise: str | None = None

    def in_reading_order(self) -> list[tuple[int, ThreadComment]]:
        """Each comment with its depth (0 directly under the article), replies below what they answer."""
        answers: dict[str | None, list[ThreadComment]] = defaultdict(list)
        for comment in self.comments:
            answers[comment.parent].append(comment)
        ordered: list[tuple[int, ThreadComment]] = []
        waiting = [(0, comment) for comment in reversed(answers[None])]
        while waiting:
            depth, comment = waiting.pop()
            ordered.append((depth, comment))
            waiting.extend((depth + 1, answer) for answer in reversed(answers[comment.id]))
        return ordered
