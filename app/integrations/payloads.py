"""The parts that count of what other systems send; they may add fields as they like."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from app.reading import read_shape
from app.threads.markup import parse_html, visible_text

__all__ = ["Payload", "plain_text", "read_payload"]

_Payload = TypeVar("_Payload", bound="Payload")
_HTML_PER_TEXT = 4  # more markup than text is not read on


class Payload(BaseModel):
    """Base of what is read; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def read_payload(schema: type[_Payload], value: object) -> _Payload:
    """Return the fields of `schema` in a JSON value.

    Raises:
        InvalidRequestError: one is missing or of the wrong type.
    """
    known: Any = value
    if isinstance(value, dict):
        known = {name: value[name] for name in schema.model_fields if name in value}
    return read_shape(schema, known)


def plain_text(text: str, max_bytes: int, *, is_html: bool) -> str:
    """Return what a reader sees of a comment, at most `max_bytes` in UTF-8.

    Longer comments are cut and not refused, so that length is no way around the scores. What is quoted
    from others with Discourse's marks is left out: they said it.
    """
    if is_html:
        root = parse_html(f"<div>{text[: max_bytes * _HTML_PER_TEXT]}</div>")
        for quoted in root.select("aside.quote, aside.onebox"):
            quoted.decompose()
        text = visible_text(root)
    return text.encode()[:max_bytes].decode(errors="ignore")
