"""Example threads: articles with reader comments underneath, written for this project."""

from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Literal

from pydantic import TypeAdapter

__all__ = ["ExampleArticle", "ExampleComment", "ExampleLabels", "ExampleThread", "load_examples"]


@dataclass(frozen=True, slots=True)
class ExampleLabels:
    """What one reader said about a comment.

    `stance` is towards the article's premise, also for a reply. `attributes` holds the attributes that
    are present, each with the value 1; the others are absent. A civil comment may carry PROFANITY alone.
    """

    civil: bool
    stance: Literal["agree", "disagree", "neutral", "unrelated"]
    attributes: dict[str, Literal[1]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExampleComment:
    """One comment; `parent` is the id of the comment it answers, None directly under the article."""

    id: str
    author: str
    date: datetime
    parent: str | None
    text: str
    labels: ExampleLabels


@dataclass(frozen=True, slots=True)
class ExampleArticle:
    """The article; `premise` is the one sentence that the comments are judged against."""

    id: str
    url: str
    title: str
    premise: str
    published: datetime
    text: str


@dataclass(frozen=True, slots=True)
class ExampleThread:
    """An article and its comments, in the order in which they were posted."""

    article: ExampleArticle
    comments: tuple[ExampleComment, ...]


def load_examples() -> list[ExampleThread]:
    """All example threads that come with the package, sorted by the article's id."""
    read = TypeAdapter(ExampleThread).validate_json
    files = (entry for entry in resources.files(__name__).iterdir() if entry.name.endswith(".json"))
    return sorted((read(file.read_bytes()) for file in files), key=lambda thread: thread.article.id)
