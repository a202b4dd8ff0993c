"""From the bytes of a body to requests: JSON, shape, limits, each refusal naming field and limit.

Which JSON is read: UTF-8, a byte order mark in front is skipped, at most 200 levels deep, no NaN or
Infinity, no lone surrogates, at most 200,000 opening brackets; of a repeated key the last one counts.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from typing import Any, TypeVar

from anyio import to_thread
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from app.errors import InvalidRequestError, MalformedBodyError, UnsupportedTypeError
from app.schemas import (
    Article,
    ArticleRegistration,
    FeedbackBatch,
    FeedbackRequest,
    FieldProblem,
    ScoreRequest,
)
from app.settings import Settings

__all__ = [
    "comment_id_in",
    "is_blank",
    "parse_body",
    "parse_json",
    "read_batch",
    "read_content_type",
    "read_feedback",
    "read_registration",
    "read_score_request",
    "read_shape",
]

_Body = TypeVar("_Body", bound=BaseModel)

_ID_CHARACTERS = 256
_MOST_FIELDS = 64  # far above any schema's; keeps a hostile object from yielding millions of errors
_MOST_ERRORS = 20
_MOST_BRACKETS = 200_000  # each may open an object, and millions would hold the interpreter for seconds
_LARGE_BYTES = 65_536
_QUOTABLE = re.compile(r"[A-Za-z0-9_-]{1,40}")

# Unicode 16, DerivedCoreProperties.txt: Default_Ignorable_Code_Point outside general category C, and
# the blank braille pattern.
_INVISIBLE_MARK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_MESSAGES = {
    "claims_type": "must be a string or a list of strings",
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_type": "must be an object",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "string_pattern_mismatch": "is not a language tag such as en or pt-BR",
    "literal_error": "is not one of the values that are known here",
    "greater_than_equal": "must be between 0 and 1",
    "less_than_equal": "must be between 0 and 1",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
}


def is_blank(text: str) -> bool:
    """Tell whether nothing of `text` can be seen: white space, control and invisible characters only."""
    if "!" <= text[:1] <= "~":  # nearly always, and no more need be asked
        return False
    return all(unicodedata.category(char)[0] in "CZ" or _INVISIBLE_MARK.match(char) for char in text)


def read_content_type(header: str | None, accepted: Sequence[str] = ("application/json",)) -> None:
    """Check a Content-Type; none at all is taken for the right one.

    Args:
        header: the header's value, or None.
        accepted: the media types that may be sent, the preferred one first.

    Raises:
        UnsupportedTypeError: another media type, or a charset other than UTF-8.
    """
    message = Message()
    message["Content-Type"] = header or accepted[0]
    try:
        media_type, charset = message.get_content_type(), message.get_content_charset("utf-8")
    except ValueError:  # a parameter's number of more digits than Python reads
        media_type = charset = ""
    if media_type not in accepted or charset not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedTypeError(f"Send Content-Type: {accepted[0]}, in UTF-8.")


def parse_json(raw: bytes) -> Any:
    """Return the JSON value in `raw`.

    Raises:
        MalformedBodyError: it is not JSON, or has too many brackets; the message tells the place, never
            the content.
    """
    if raw.count(b"[") + raw.count(b"{") > _MOST_BRACKETS:
        raise MalformedBodyError(f"The body has more than {_MOST_BRACKETS} of [ and {{, the most allowed.")
    try:
        return from_json(raw.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise MalformedBodyError(f"The body is not JSON: {error}.") from None


async def parse_body(raw: bytes) -> Any:
    """Return the JSON value in `raw`, as `parse_json` does; a large one is read in a worker thread."""
    return parse_json(raw) if len(raw) <= _LARGE_BYTES else await to_thread.run_sync(parse_json, raw)


def comment_id_in(value: object) -> str | None:
    """Return `comment.id` of a request that may be wrong otherwise, where it can be made out."""
    comment = value.get("comment") if isinstance(value, dict) else None
    given = comment.get("id") if isinstance(comment, dict) else None
    return given if isinstance(given, str) and len(given) <= _ID_CHARACTERS else None


def read_score_request(value: object, settings: Settings) -> ScoreRequest:
    """Return the request in a JSON value.

    Raises:
        InvalidRequestError: a field is missing, unknown, of the wrong type, empty or over its limit.
    """
    request = read_shape(ScoreRequest, value)
    _refuse(list(_broken_limits(request, settings)))
    return request


def read_batch(value: object, settings: Settings) -> list[ScoreRequest | InvalidRequestError]:
    """Return each item of a batch, or why it is refused.

    Raises:
        InvalidRequestError: it is no batch at all, or has too many items.
    """
    if not isinstance(value, dict):
        _refuse([FieldProblem(field="body", message="must be an object")])
        return []
    if unknown := [key for key in value if key != "items"]:
        _refuse([_unknown_field(key) for key in unknown[:_MOST_ERRORS]])
    if not isinstance(items := value.get("items"), list):
        _refuse(
            [FieldProblem(field="items", message="must be a list" if "items" in value else "is required")]
        )
        return []
    if len(items) > (limit := settings.max_batch_items):
        message = f"has {len(items)} entries, at most {limit} allowed"
        _refuse([FieldProblem(field="items", message=message, limit=limit)])
    return [_item(item, settings) for item in items]


def read_registration(value: object, settings: Settings) -> ArticleRegistration:
    """Return the registration of an article in a JSON value.

    Raises:
        InvalidRequestError: as for `read_score_request`.
    """
    registration = read_shape(ArticleRegistration, value)
    premise = registration.premise
    is_empty = is_blank(premise) if isinstance(premise, str) else not premise
    article = Article(premise=premise, url=registration.url, title=registration.title)
    _refuse([*([_empty("premise")] if is_empty else []), *_broken_article(article, "", settings)])
    return registration


def read_feedback(value: object, settings: Settings) -> list[FeedbackRequest]:
    """Return the opinions in a JSON value: one, or the `items` of several.

    Raises:
        InvalidRequestError: as for `read_score_request`; one wrong item refuses them all.
    """
    if isinstance(value, dict) and "items" in value:
        given = value["items"]
        if isinstance(given, list) and len(given) > (limit := settings.max_batch_items):
            message = f"has {len(given)} entries, at most {limit} allowed"
            _refuse([FieldProblem(field="items", message=message, limit=limit)])
        items = read_shape(FeedbackBatch, value).items
        if not items:
            _refuse([FieldProblem(field="items", message="is empty")])
        places = [f"items.{i}." for i in range(len(items))]
    else:
        items, places = [read_shape(FeedbackRequest, value)], [""]
    problems: list[FieldProblem] = []
    for item, place in zip(items, places, strict=True):
        problems += _broken_feedback(item, place, settings)
    _refuse(problems[:_MOST_ERRORS])
    return items


def _broken_feedback(item: FeedbackRequest, place: str, settings: Settings) -> Iterator[FieldProblem]:
    comment, names = item.comment, {"source": item.source, "community": item.community}
    field = f"{place}comment.text"
    if not item.labels and item.stance is None:
        yield FieldProblem(field=f"{place}labels", message="is required, where there is no stance")
    if comment.text is None and comment.id is None:
        yield FieldProblem(field=field, message="is required, where there is no id")
    elif (problem := _too_long(field, comment.text, settings.max_text_bytes)) is not None:
        yield problem
    elif comment.text is not None and is_blank(comment.text):
        yield _empty(field)
    names |= {"client_token": item.client_token, "comment.id": comment.id}
    yield from _with_nul({f"{place}{name}": text for name, text in names.items()})
    if item.article is not None:
        yield from _broken_article(item.article, f"{place}article.", settings)


def _item(item: object, settings: Settings) -> ScoreRequest | InvalidRequestError:
    try:
        return read_score_request(item, settings)
    except InvalidRequestError as refusal:
        return refusal


def read_shape(schema: type[_Body], value: object) -> _Body:
    """Return `value` as `schema`, its limits in bytes not yet checked.

    Raises:
        InvalidRequestError: a field is missing, unknown or of the wrong type.
    """
    if _is_crowded(value):
        message = f"has an object of more than {_MOST_FIELDS} fields"
        _refuse([FieldProblem(field="body", message=message, limit=_MOST_FIELDS)])
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    _refuse([_field_problem(detail) for detail in details[:_MOST_ERRORS]])
    raise AssertionError("unreachable")  # pragma: no cover


def _is_crowded(value: object) -> bool:
    return isinstance(value, dict) and (len(value) > _MOST_FIELDS or any(map(_is_crowded, value.values())))


def _broken_limits(request: ScoreRequest, settings: Settings) -> Iterator[FieldProblem]:
    comment, article = request.comment, request.article
    spoken = {"comment.text": comment.text}
    if comment.parent is not None:
        spoken["comment.parent.text"] = comment.parent.text
    if article is not None:
        yield from _broken_article(article, "article.", settings)
    for field, text in spoken.items():
        if (problem := _too_long(field, text, settings.max_text_bytes)) is not None:
            yield problem
        elif is_blank(text):
            yield _empty(field)


def _broken_article(article: Article, place: str, settings: Settings) -> Iterator[FieldProblem]:
    premise = article.premise if isinstance(article.premise, str) else None
    if isinstance(article.premise, list):
        yield from _broken_claims(article.premise, f"{place}premise", settings)
    stored = {"id": article.id, "url": article.url, "premise": premise, "title": article.title}
    yield from _with_nul({f"{place}{name}": text for name, text in stored.items()})
    limited = (
        ("title", article.title, settings.max_text_bytes),
        ("premise", premise, settings.max_text_bytes),
        ("text", article.text, settings.max_article_text_bytes),
    )
    for name, text, limit in limited:
        if (problem := _too_long(f"{place}{name}", text, limit)) is not None:
            yield problem


def _broken_claims(claims: Sequence[str], field: str, settings: Settings) -> Iterator[FieldProblem]:
    if len(claims) > (limit := settings.max_premises):
        message = f"has {len(claims)} entries, at most {limit} allowed"
        yield FieldProblem(field=field, message=message, limit=limit)
        return
    for i, claim in enumerate(claims):
        if (problem := _too_long(f"{field}.{i}", claim, settings.max_text_bytes)) is not None:
            yield problem
        elif is_blank(claim):
            yield _empty(f"{field}.{i}")
    yield from _with_nul({f"{field}.{i}": claim for i, claim in enumerate(claims)})


def _with_nul(texts: Mapping[str, str | None]) -> Iterator[FieldProblem]:
    # PostgreSQL stores no such text, and cannot be asked for it.
    for field, text in texts.items():
        if text is not None and "\0" in text:
            yield FieldProblem(field=field, message="must not contain the character NUL")


def _empty(field: str) -> FieldProblem:
    return FieldProblem(field=field, message="is empty")


def _too_long(field: str, text: str | None, limit: int) -> FieldProblem | None:
    size = len((text or "").encode("utf-8", "surrogatepass"))
    if size <= limit:
        return None
    message = f"has {size} bytes in UTF-8, at most {limit} allowed"
    return FieldProblem(field=field, message=message, limit=limit)


def _field_problem(error: ErrorDetails) -> FieldProblem:
    field = ".".join(_quotable(part) for part in error["loc"]) or "body"
    if error["type"] == "string_too_long":
        limit = int(error["ctx"]["max_length"])
        message = f"has too many characters, at most {limit} allowed"
        return FieldProblem(field=field, message=message, limit=limit)
    return FieldProblem(field=field, message=_MESSAGES.get(error["type"], "is not valid"))


def _unknown_field(key: str) -> FieldProblem:
    return FieldProblem(field=_quotable(key), message=_MESSAGES["extra_forbidden"])


def _quotable(part: str | int) -> str:
    # A key is the caller's text too: only what looks like a field name is given back.
    return str(part) if _QUOTABLE.fullmatch(str(part)) else "(unnamed)"


def _refuse(problems: list[FieldProblem]) -> None:
    if problems:
        more = f" ({len(problems) - 1} more in errors)" if len(problems) > 1 else ""
        raise InvalidRequestError(f"{problems[0].field} {problems[0].message}{more}", problems)
