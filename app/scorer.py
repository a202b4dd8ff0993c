"""The answers for a list of requests from one bundle: vectorised, one call of each model a list."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from app.language import LanguageTeller
from app.policy import decide, decide_unsupported_language
from app.premise import find_premise
from app.schemas import (
    Attribute,
    Civility,
    Comment,
    CommentInLanguage,
    ScoreAnswer,
    ScoreRequest,
    SpanAnswer,
    Stance,
    StanceName,
)
from app.settings import Settings, Thresholds
from models import ATTRIBUTES, STANCES, Bundle, Span
from models.civility import ENGLISH, utf16_offsets
from models.stance import STANCE_LANGUAGES

__all__ = ["Scorer"]

_DECIMALS = 4


class Scorer:
    """Scores comments with one bundle. Safe for use by several threads."""

    def __init__(self, bundle: Bundle, settings: Settings, teller: LanguageTeller | None = None) -> None:
        self.bundle = bundle
        self.languages = bundle.civility.languages
        self._settings = settings
        self._teller = teller or LanguageTeller(settings)

    @property
    def version(self) -> str:
        """Version of the bundle, as it stands in every answer."""
        return self.bundle.version

    def score(
        self, requests: Sequence[ScoreRequest], *, registered: Mapping[int, str] | None = None
    ) -> list[ScoreAnswer]:
        """Answer every request, in order.

        Args:
            requests: checked requests (`app.reading`).
            registered: place in `requests` → premise registered for that request's article.

        Returns:
            Scores rounded to 4 decimals. Comments in a language that the civility model does not know get
            no civility, and the decision to be reviewed; those in another than English no stance, and
            only the attributes that the language's model has.
        """
        known = registered or {}
        languages = [self.language_of(request.comment) for request in requests]
        civility = self._civility(requests, languages)
        spans = self._spans(requests, [i for i, language in enumerate(languages) if language == ENGLISH])
        stances = self._stances(
            requests, [i for i, language in enumerate(languages) if language in STANCE_LANGUAGES], known
        )
        return [
            _answer(
                request,
                version=self.version,
                language=languages[i],
                civility=civility.get(i),
                stance=stances.get(("article", i)),
                reply_stance=stances.get(("parent", i)),
                spans=spans.get(i, []),
                thresholds=self._settings.thresholds,
            )
            for i, request in enumerate(requests)
        ]

    def language_of(self, comment: Comment) -> str:
        """Return the language in which a comment is scored, ISO 639."""
        if isinstance(comment, CommentInLanguage):
            return comment.language
        return self._teller.tell(comment.text, comment.language)

    def _civility(self, requests: Sequence[ScoreRequest], languages: Sequence[str]) -> dict[int, Civility]:
        found: dict[int, Civility] = {}
        for language in self.languages & set(languages):
            places = [i for i, its_own in enumerate(languages) if its_own == language]
            texts = [requests[i].comment.text for i in places]
            attributes, rows = self._rows(texts, language)
            found |= {i: _civility_of(attributes, row) for i, row in zip(places, rows, strict=True)}
        return found

    def _rows(self, texts: list[str], language: str) -> tuple[Sequence[str], NDArray[np.float64]]:
        model = self.bundle.civility
        if language == ENGLISH:
            return ATTRIBUTES, model.predict_proba(texts, share=self._settings.encoder_share)
        return model.others_[language].attributes, model.predict_other(texts, language)

    def _spans(self, requests: Sequence[ScoreRequest], english: Sequence[int]) -> dict[int, list[Span]]:
        explained = [i for i in english if requests[i].explain]
        found = self.bundle.civility.explain([requests[i].comment.text for i in explained])
        return dict(zip(explained, found, strict=True))

    def _stances(
        self, requests: Sequence[ScoreRequest], readable: Sequence[int], known: Mapping[int, str]
    ) -> dict[tuple[str, int], Stance]:
        pairs: dict[tuple[str, int], tuple[str, str]] = {}
        for i in readable:
            comment = requests[i].comment
            premise = find_premise(requests[i].article, known.get(i))
            if premise is not None:
                pairs["article", i] = premise, comment.text
            if comment.parent is not None:
                pairs["parent", i] = comment.parent.text, comment.text
        model = self.bundle.stance
        texts = list(pairs.values())
        scores = model.assess(texts)
        rows = zip(pairs, texts, scores.probabilities, scores.relevance, strict=True)
        return {
            key: _stance_of(premise, probabilities, float(relevance), model.floor_)
            for key, (premise, _), probabilities, relevance in rows
        }


def _civility_of(names: Sequence[str], row: NDArray[np.float64]) -> Civility:
    attributes = {cast(Attribute, name): _rounded(value) for name, value in zip(names, row, strict=True)}
    return Civility(score=_rounded(1 - attributes["TOXICITY"]), attributes=attributes)


def _stance_of(premise: str, row: NDArray[np.float64], relevance: float, floor: float) -> Stance:
    probabilities = {
        cast(StanceName, name): _rounded(value) for name, value in zip(STANCES, row, strict=True)
    }
    likeliest = max(probabilities, key=lambda name: probabilities[name])
    # The largest takes what rounding left over, so that the three still sum to 1.
    probabilities[likeliest] = _rounded(1 - sum(p for name, p in probabilities.items() if name != likeliest))
    return Stance(
        label=likeliest if float(row.max()) >= floor else "uncertain",
        confidence=probabilities[likeliest],
        probabilities=probabilities,
        relevance=_rounded(relevance),
        premise=premise,
    )


def _answer(
    request: ScoreRequest,
    *,
    version: str,
    language: str,
    civility: Civility | None,
    stance: Stance | None,
    reply_stance: Stance | None,
    spans: Sequence[Span],
    thresholds: Thresholds,
) -> ScoreAnswer:
    # Only fields that are set are sent, so a key left out here is absent from the answer.
    extras: dict[str, Any] = {}
    if civility is None:
        extras["civility_omitted"] = "language"
    if stance is None:
        extras["stance_omitted"] = "no premise" if language in STANCE_LANGUAGES else "language"
    if request.comment.parent is not None:
        extras["reply_stance"] = reply_stance
    if request.explain:
        extras["spans"] = _span_answers(request.comment.text, spans)
    return ScoreAnswer(
        id=request.comment.id,
        model=version,
        language=language,
        civility=civility,
        stance=stance,
        decision=decide(civility.attributes, thresholds) if civility else decide_unsupported_language(),
        **extras,
    )


def _span_answers(text: str, spans: Sequence[Span]) -> list[SpanAnswer]:
    utf16 = utf16_offsets(text)
    return [
        SpanAnswer(
            begin=span.begin,
            end=span.end,
            utf16_begin=int(utf16[span.begin]),
            utf16_end=int(utf16[span.end]),
            attribute=cast(Attribute, span.attribute),
            score=_rounded(span.score),
        )
        for span in spans
    ]


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
