"""The two requests of the Perspective API, read from JSON and checked, with every default."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.compat import _perspective_errors as errors
from app.compat._proto_json import ProtoObject, read_object
from app.errors import MalformedBodyError
from app.reading import is_blank, parse_json
from app.schemas import Article
from app.settings import Settings
from models import ATTRIBUTES, STANCES

__all__ = [
    "AnalyzeRequest",
    "AskedAttribute",
    "SuggestRequest",
    "SuggestedScores",
    "read_analyze_request",
    "read_suggest_request",
]

_TEXT_TYPES = ("TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML")
_SCORE_TYPES = ("SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW")
_PLAIN_TYPES = {"TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT"}
_PROBABILITY_TYPES = {"SCORE_TYPE_UNSPECIFIED", "PROBABILITY"}

_CIVILITY = {f"{name}{suffix}": name for name in ATTRIBUTES for suffix in ("", "_EXPERIMENTAL")}
_STANCE = {f"STANCE_{stance.upper()}": stance for stance in STANCES}
_VERSIONED = re.compile(r"([A-Z_]+)(?:@[A-Za-z0-9._+-]{1,64})?")
_MOST_ATTRIBUTES = 100  # three times what the API ever had
_MOST_URL_CHARACTERS = 2048
_A_YES = 0.5
_URL = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AskedAttribute:
    """One key of `requestedAttributes`."""

    key: str
    """As the caller wrote it, with version and suffix; the answer mirrors it."""
    name: str
    """The civility attribute or the stance that stands behind it."""
    is_stance: bool
    threshold: float | None
    """Least score that is returned."""


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    """A request of `comments:analyze`. What does not change the answer is read, checked and left out."""

    text: str
    attributes: list[AskedAttribute]
    languages: list[str]
    article: Article | None
    """From the context; None where there is none, or no attribute asks for it."""
    spans: bool
    drop_unsupported: bool
    client_token: str | None


@dataclass(frozen=True, slots=True)
class SuggestedScores:
    """What the caller thinks one attribute should be: for the whole comment, for parts of it, or both."""

    summary: float | None
    spans: list[tuple[int, int, float]]
    """UTF-16 offsets begin and end (exclusive), and the score."""


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """A request of `comments:suggestscore`."""

    text: str
    scores: dict[str, SuggestedScores]
    stance: str | None
    """The stance whose attribute is scored highest and at least 0.5."""
    languages: list[str]
    context: list[str]
    """Texts of the entries, or of the article and the parent comment, an absent one being empty."""
    article: Article | None
    """From the context, as for an analysis."""
    do_not_store: bool
    community_id: str | None
    client_token: str | None
    session_id: str | None


def read_analyze_request(value: object, settings: Settings) -> AnalyzeRequest:
    """Read a request of `comments:analyze` from its JSON value.

    Raises:
        GoogleError: something is wrong; the message is the API's own.
    """
    request = read_object(value)
    text = _comment(request, settings)
    context = _context(request, settings)
    attributes = [_asked(key, given) for key, given in _requested(request)]
    for name in ("sessionId", "communityId"):
        request.string(name)
    request.boolean("doNotStore")  # nothing of an analysis is ever stored
    return AnalyzeRequest(
        text=text,
        attributes=attributes,
        languages=request.strings("languages"),
        article=_article(context) if any(asked.is_stance for asked in attributes) else None,
        spans=request.boolean("spanAnnotations"),
        drop_unsupported=request.boolean("dropUnsupportedAttributes"),
        client_token=request.string("clientToken"),
    )


def read_suggest_request(value: object, settings: Settings) -> SuggestRequest:
    """Read a request of `comments:suggestscore` from its JSON value.

    Raises:
        GoogleError: as for `read_analyze_request`.
    """
    request = read_object(value)
    text = _comment(request, settings)
    given = request.map("attributeScores")
    if not given:
        raise errors.invalid_request("Missing attribute_scores")
    scores = {key: _suggested(key, scores) for key, scores in given.items()}
    context = _context(request, settings)
    return SuggestRequest(
        text=text,
        scores=scores,
        stance=_suggested_stance(scores),
        languages=request.strings("languages"),
        context=context,
        article=_article(context),
        do_not_store=request.boolean("doNotStore"),
        community_id=request.string("communityId"),
        client_token=request.string("clientToken"),
        session_id=request.string("sessionId"),
    )


def _comment(request: ProtoObject, settings: Settings) -> str:
    text = _plain_text(request.object("comment"))
    if len(text.encode()) > settings.max_text_bytes:
        raise errors.comment_too_long()
    if is_blank(text):
        raise errors.comment_empty()
    return text


def _plain_text(entry: ProtoObject) -> str:
    text_type = entry.enum("type", _TEXT_TYPES)
    if text_type is None:
        raise errors.invalid_request("Unknown text type")
    if text_type not in _PLAIN_TYPES:
        raise errors.invalid_request("Currently, only 'PLAIN_TEXT' comments are supported")
    return entry.string("text") or ""


def _context(request: ProtoObject, settings: Settings) -> list[str]:
    context = request.object("context")
    entries = context.objects("entries")
    if entries and context.has("articleAndParentComment"):
        raise errors.invalid_request(
            "Context can have either entries or article_and_parent_comment, but both fields were populated."
        )
    both = context.object("articleAndParentComment")
    entries = entries or [both.object("article"), both.object("parentComment")]
    texts = [entry.string("text") or "" for entry in entries]
    if any(len(text.encode()) > settings.max_article_text_bytes for text in texts):
        raise errors.invalid_request("Context entry text too long.")
    return texts if any(texts) else []


def _requested(request: ProtoObject) -> Iterator[tuple[str, ProtoObject]]:
    requested = request.map("requestedAttributes")
    if not requested:
        raise errors.missing_attributes()
    if len(requested) > _MOST_ATTRIBUTES:
        raise errors.invalid_request(f"Too many requested attributes: at most {_MOST_ATTRIBUTES} are allowed")
    return iter(requested.items())


def _asked(key: str, given: ProtoObject) -> AskedAttribute:
    parts = _VERSIONED.fullmatch(key)
    name = parts[1] if parts else ""
    if name not in _CIVILITY and name not in _STANCE:
        raise errors.unknown_attribute(key)
    _check_score_type(key, given, given.place("scoreType"), "scoreType")
    return AskedAttribute(
        key=key,
        name=_STANCE[name] if name in _STANCE else _CIVILITY[name],
        is_stance=name in _STANCE,
        threshold=given.number("scoreThreshold"),
    )


def _check_score_type(attribute: str, given: ProtoObject, place: str, name: str) -> None:
    score_type = given.enum(name, _SCORE_TYPES)
    if score_type is None:
        raise errors.invalid_value(place, "TYPE_ENUM")
    if score_type not in _PROBABILITY_TYPES:
        raise errors.score_type_not_supported(score_type, attribute)


def _article(context: list[str]) -> Article | None:
    """Return the article that the first entry tells: a URL, JSON with a `url` as Coral sends, or a text."""
    text = context[0].strip() if context else ""
    if is_blank(text):
        return None
    url: Any = text if _URL.fullmatch(text) else None
    if text.startswith("{"):
        url = _url_in(text)
    if isinstance(url, str):
        return Article(url=url) if len(url) <= _MOST_URL_CHARACTERS and "\0" not in url else None
    return Article(text=text)


def _url_in(text: str) -> Any:
    try:
        value = parse_json(text.encode())
    except MalformedBodyError:
        return None
    return value.get("url") if isinstance(value, dict) else None


def _suggested(key: str, given: ProtoObject) -> SuggestedScores:
    spans = [_suggested_span(key, span) for span in given.objects("spanScores")]
    summary = _score(key, given, "summaryScore") if given.has("summaryScore") else None
    if summary is None and not spans:
        raise errors.invalid_request(f"Missing scores of attribute {key[:128]}")
    return SuggestedScores(summary, spans)


def _suggested_stance(scores: dict[str, SuggestedScores]) -> str | None:
    summaries = {_STANCE[key]: given.summary or 0.0 for key, given in scores.items() if key in _STANCE}
    likeliest = max(summaries, key=lambda stance: summaries[stance], default=None)
    return likeliest if likeliest is not None and summaries[likeliest] >= _A_YES else None


def _suggested_span(key: str, span: ProtoObject) -> tuple[int, int, float]:
    begin, end = span.integer("begin"), span.integer("end")
    if begin is None or end is None or not 0 <= begin < end:
        raise errors.invalid_value(span.place("begin" if begin is None else "end"), "TYPE_INT32")
    return begin, end, _score(key, span, "score")


def _score(key: str, holder: ProtoObject, name: Literal["score", "summaryScore"]) -> float:
    score = holder.object(name)
    _check_score_type(key, score, score.place("type"), "type")
    value = score.number("value")
    if value is None or not 0 <= value <= 1:
        raise errors.invalid_value(score.place("value"), "TYPE_FLOAT")
    return value
