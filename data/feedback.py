"""Feedback as retraining reads it: what one source said of one comment.

`counterpoint store export` writes it as one JSON object a line, beside those of other tables. Of the
fields, `source` and `received` are required; `text`, `uid`, `digest`, `labels`, `stance`, `premise`, `role`,
`community`, `client_token`, `key_id`, `article_id`, `article_url` and `languages` may be missing or null, and
further ones are passed over. What an opinion lacks of text or premise comes from the stored comment of its
digest.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.rows import ATTRIBUTES, STANCE_LABELS, text_group
from data.tables import Record, json_lines

__all__ = ["MODERATOR", "Opinion", "opinion_of", "read_feedback", "write_feedback"]

MODERATOR = "moderator"
_TABLE = "feedback"
_NAMES = (
    "uid",
    "stance",
    "premise",
    "role",
    "community",
    "client_token",
    "key_id",
    "article_id",
    "article_url",
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a source said of a comment.

    Attributes:
        text: the comment.
        source: who says so, such as "moderator:17", or the protocol over which it came.
        received: when, in UTC.
        labels: attribute → label in [0, 1], names of `ATTRIBUTES`.
        stance: one of `STANCE_LABELS` towards `premise`, or None.
        premise: what the stance is towards.
        role: "moderator", "reader" or None.
        community: where it was said.
        client_token: the caller's name for the comment; of the same source, community and token the newest
            opinion counts.
        key_id: id of the API key with which it came, where it is known. What `source` says is the sender's
            word; this is not.
        article_id: names the article.
        article_url: its address.
        languages: ISO 639 codes, where they are known.
        uid: names the opinion in reports.
    """

    text: str
    source: str
    received: datetime
    labels: Mapping[str, float] = field(default_factory=dict)
    stance: str | None = None
    premise: str | None = None
    role: str | None = None
    community: str | None = None
    client_token: str | None = None
    key_id: str | None = None
    article_id: str | None = None
    article_url: str | None = None
    languages: tuple[str, ...] = ()
    uid: str | None = None

    @property
    def group(self) -> str:
        """What must not be torn apart by a split: the text with all its doubles."""
        return text_group(self.text)

    @property
    def is_moderator(self) -> bool:
        """Whether it is known to come from a moderator."""
        return self.role == MODERATOR


def read_feedback(path: Path) -> list[Opinion]:
    """Read opinions, one JSON object a line (`.gz` is unpacked).

    An opinion of which only a digest is left, here and among the comments, is passed over: nothing can be
    learnt from it.

    Raises:
        MissingDataError: the file is not there.
        MalformedFileError: a line is not JSON, or lacks or misuses a field.
    """
    opinions, comments = [], {}
    for record in json_lines(path):
        table = record.fields.get("table", _TABLE)
        if table == "comments":
            comments[record.fields.get("digest")] = record
        elif table == _TABLE:
            opinions.append(record)
    completed = [_completed(record, comments.get(record.fields.get("digest"))) for record in opinions]
    return [opinion_of(record) for record in completed if record.fields.get("text") is not None]


def opinion_of(record: Record) -> Opinion:
    """Return the opinion of one record.

    Raises:
        MalformedFileError: it lacks or misuses a field.
    """
    named = {name: _name(record, name) for name in _NAMES}
    if named["stance"] is not None and named["stance"] not in STANCE_LABELS:
        record.fail(f"stance must be of {', '.join(STANCE_LABELS)}")
    languages = record.fields.get("languages") or []
    if not isinstance(languages, list) or not all(isinstance(one, str) for one in languages):
        record.fail("the field 'languages' is not a list of text")
    return Opinion(
        text=record.text("text"),
        source=record.text("source"),
        received=_moment(record),
        labels=_labels(record),
        languages=tuple(languages),
        **named,
    )


def write_feedback(path: Path, opinions: Iterable[Opinion]) -> None:
    """Write opinions as `read_feedback` reads them."""
    lines = (
        json.dumps(asdict(one) | {"received": one.received.isoformat(), "labels": dict(one.labels)})
        for one in opinions
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _completed(record: Record, comment: Record | None) -> Record:
    if comment is None:
        return record
    known = {name: comment.fields.get(name) for name in ("text", "premise")}
    given = {name: value for name, value in record.fields.items() if value is not None}
    return Record(record.path, record.place, known | given)


def _name(record: Record, name: str) -> Any:
    value = record.fields.get(name)
    if value is not None and not isinstance(value, str):
        record.fail(f"the field {name!r} is not text")
    return value


def _labels(record: Record) -> dict[str, float]:
    found = record.fields.get("labels") or {}
    if not isinstance(found, dict):
        record.fail("the field 'labels' is not an object")
    labels = {}
    for name in ATTRIBUTES:  # other attributes, of other protocols, are not learnt
        value = found.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            record.fail(f"labels.{name} must be a number from 0 to 1")
        labels[name] = float(value)
    return labels


def _moment(record: Record) -> datetime:
    try:
        moment = datetime.fromisoformat(record.text("received"))
    except ValueError:
        record.fail("the field 'received' is not a time in ISO 8601")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
