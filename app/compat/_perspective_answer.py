"""What `comments:analyze` answers: our scores in the API's shape."""

from collections.abc import Collection, Sequence
from typing import Any

from app.compat import _perspective_errors as errors
from app.compat._perspective_request import AnalyzeRequest, AskedAttribute
from app.compat._sentences import Sentence, split_sentences, utf16_length
from app.schemas import Comment, CommentInLanguage, ScoreAnswer, ScoreRequest
from app.scorer import Scorer
from app.service import Service

__all__ = ["analyze", "detect_language"]

_MOST_SPANS = 100


async def analyze(
    asked: AnalyzeRequest, service: Service, *, bulk: bool = False
) -> tuple[dict[str, Any], str]:
    """Score a comment.

    Args:
        asked: the request.
        service: what scores.
        bulk: whether the request is one of many, and gives way to single ones.

    Returns:
        The answer's JSON value, and the version of the bundle that scored.

    Raises:
        GoogleError: an attribute cannot be scored in the comment's language, and may not be dropped.
    """
    scorer = service.shelf.scorer
    hint = _first_known(asked.languages, scorer.languages)
    foreign = bool(asked.languages) and hint is None
    if foreign and not asked.drop_unsupported:
        raise errors.language_not_supported(asked.attributes[0].key, asked.languages, requested=True)
    comment = _comment(asked.text, hint)
    answer = await service.answer(
        ScoreRequest(comment=comment, article=asked.article), bulk=bulk, scorer=scorer
    )
    scores = {} if foreign else _scores(asked, answer)
    spans = await _spans(asked, answer, service, scorer) if scores and asked.spans else []
    attribute_scores = {
        attribute.key: _attribute_scores(attribute, scores[attribute.key], spans, asked.text)
        for attribute in asked.attributes
        if attribute.key in scores
    }
    value: dict[str, Any] = {"attributeScores": attribute_scores} if attribute_scores else {}
    value["languages"] = asked.languages or [answer.language]
    value["detectedLanguages"] = [answer.language]
    if asked.client_token is not None:
        value["clientToken"] = asked.client_token
    return value, answer.model


def detect_language(text: str, languages: Sequence[str], service: Service) -> str:
    """Return the language in which `text` would be scored."""
    scorer = service.shelf.scorer
    return scorer.language_of(_comment(text, _first_known(languages, scorer.languages)))


def _comment(text: str, language: str | None) -> Comment:
    return Comment(text=text) if language is None else CommentInLanguage(text=text, language=language)


def _scores(asked: AnalyzeRequest, answer: ScoreAnswer) -> dict[str, float]:
    """Return key → score for what the caller gets: known in this language, at or above its threshold."""
    found: dict[str, float] = {}
    for attribute in asked.attributes:
        score = _score(attribute, answer)
        if score is not None:
            if attribute.threshold is None or score >= attribute.threshold:
                found[attribute.key] = score
        elif not asked.drop_unsupported and not _lacks_premise(attribute, answer):
            raise _not_supported(attribute, asked.languages, answer.language)
    return found


def _score(attribute: AskedAttribute, answer: ScoreAnswer) -> float | None:
    scores: dict[Any, float] = {}
    if attribute.is_stance and answer.stance is not None:
        scores = {**answer.stance.probabilities}
    if not attribute.is_stance and answer.civility is not None:
        scores = {**answer.civility.attributes}
    return scores.get(attribute.name)


def _lacks_premise(attribute: AskedAttribute, answer: ScoreAnswer) -> bool:
    return attribute.is_stance and answer.stance_omitted == "no premise"


def _not_supported(attribute: AskedAttribute, languages: Sequence[str], detected: str) -> Exception:
    requested = detected in map(_code_of, languages)
    told = languages if requested else [detected]
    return errors.language_not_supported(attribute.key, told, requested=requested)


def _first_known(tags: Sequence[str], known: Collection[str]) -> str | None:
    return next((code for code in map(_code_of, tags) if code in known), None)


def _code_of(tag: str) -> str | None:
    # hi-Latn is Hindi in letters that a model of Hindi has never seen: another language, for scores.
    code, *subtags = tag.lower().split("-")
    return None if "latn" in subtags else code


async def _spans(
    asked: AnalyzeRequest, whole: ScoreAnswer, service: Service, scorer: Scorer
) -> list[tuple[Sentence, ScoreAnswer]]:
    sentences = split_sentences(asked.text, _MOST_SPANS)
    if len(sentences) < 2:
        return []
    requests = [ScoreRequest(comment=_comment(sentence.text, whole.language)) for sentence in sentences]
    answers = []
    for answer in await service.answer_many(requests, scorer=scorer, parts=True):
        if isinstance(answer, BaseException):
            raise answer
        answers.append(answer)
    return list(zip(sentences, answers, strict=True))


def _attribute_scores(
    attribute: AskedAttribute,
    summary: float,
    spans: Sequence[tuple[Sentence, ScoreAnswer]],
    text: str,
) -> dict[str, Any]:
    scored = [
        _span(sentence.begin, sentence.end, score)
        for sentence, answer in spans
        if (score := _score(attribute, answer)) is not None
    ]
    whole = [_span(0, utf16_length(text), summary)]
    return {"spanScores": scored or whole, "summaryScore": _probability(summary)}


def _span(begin: int, end: int, score: float) -> dict[str, Any]:
    return {"begin": begin, "end": end, "score": _probability(score)}


def _probability(score: float) -> dict[str, Any]:
    return {"value": score, "type": "PROBABILITY"}
