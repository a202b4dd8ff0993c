"""The answers for a list of requests from one bundle: vectorised, one call of each model a list."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from app.adaptation.learning import AdaptedStance
from app.encoders import with_encoder_settings
from app.language import LanguageTeller
from app.policy import decide, decide_unsupported_language
from app.premise import are_listed, find_premises
from app.rounding import rounded
from app.schemas import (
    Attribute,
    Civility,
    Claims,
    Comment,
    CommentInLanguage,
    ScoreAnswer,
    ScoreRequest,
    SpanAnswer,
)
from app.settings import Settings, Thresholds
from app.stances import AskedStances, ToldStances, tell_stances
from models import ATTRIBUTES, Bundle, Span
from models.civility import ENGLISH, utf16_offsets
from models.stance import STANCE_LANGUAGES

__all__ = ["Scorer"]

_NOTHING_ASKED = ToldStances([])


class Scorer:
    """Scores comments with one bundle. Safe for use by several threads.

    Attributes:
        stages: how many comments in English the civility model judged by its "fast" stage alone, and how
            many its "encoder" has read.
    """

    def __init__(self, bundle: Bundle, settings: Settings, teller: LanguageTeller | None = None) -> None:
        self.stages = Counter(fast=0, encoder=0)
        self.bundle = with_encoder_settings(bundle, settings)
        self.languages = bundle.civility.languages
        self._settings = settings
        self._teller = teller or LanguageTeller(settings)

    @property
    def version(self) -> str:
        """Version of the bundle, as it stands in every answer."""
        return self.bundle.version

    def score(
        self,
        requests: Sequence[ScoreRequest],
        *,
        registered: Mapping[int, Claims] | None = None,
        adapted: Mapping[int, Mapping[str, AdaptedStance]] | None = None,
    ) -> list[ScoreAnswer]:
        """Answer every request, in order.

        Args:
            requests: checked requests (`app.reading`).
            registered: place in `requests` → claim or claims registered for that request's article.
            adapted: place in `requests` → premise → what adapts the stance towards it.

        Returns:
            Scores rounded to 4 decimals. Comments in a language that the civility model does not know get
            no civility, and the decision to be reviewed; those in another than English no stance, and
            only the attributes that the language's model has. No stance is told towards a premise or a
            parent in another language than English either.
        """
        known = registered or {}
        languages = [self.language_of(request.comment) for request in requests]
        civility = self._civility(requests, languages)
        spans = self._spans(requests, [i for i, language in enumerate(languages) if language == ENGLISH])
        stances = self._stances(requests, languages, known, adapted or {})
        return [
            _answer(
                request,
                version=self.version,
                language=languages[i],
                civility=civility.get(i),
                stances=stances[i],
                listed=are_listed(request.article, known.get(i)),
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
            judged = model.judge(texts, share=self._settings.encoder_share)
            encoded = int(judged.encoded.sum())
            self.stages.update(fast=len(texts) - encoded, encoder=encoded)
            return ATTRIBUTES, judged.probabilities
        return model.others_[language].attributes, model.predict_other(texts, language)

    def _spans(self, requests: Sequence[ScoreRequest], english: Sequence[int]) -> dict[int, list[Span]]:
        explained = [i for i in english if requests[i].explain]
        if not explained:
            return {}
        found = self.bundle.civility.explain([requests[i].comment.text for i in explained])
        return dict(zip(explained, found, strict=True))

    def _stances(
        self,
        requests: Sequence[ScoreRequest],
        languages: Sequence[str],
        known: Mapping[int, Claims],
        adapted: Mapping[int, Mapping[str, AdaptedStance]],
    ) -> list[ToldStances]:
        if not known and all(one.article is None and one.comment.parent is None for one in requests):
            return [_NOTHING_ASKED] * len(requests)
        asked = []
        for i, (request, language) in enumerate(zip(requests, languages, strict=True)):
            comment = request.comment
            premises = find_premises(request.article, known.get(i))
            if language not in STANCE_LANGUAGES:
                asked.append(AskedStances(comment.text, [None] * len(premises)))
                continue
            parent = None if comment.parent is None else comment.parent.text
            asked.append(
                AskedStances(
                    comment.text,
                    [premise if self._reads(premise.text, language) else None for premise in premises],
                    parent if parent is not None and self._reads(parent, language) else None,
                    request.explain,
                    adapted.get(i, {}),
                )
            )
        return tell_stances(self.bundle.stance, asked, self._settings)

    def _reads(self, text: str, language_nearby: str) -> bool:
        # A text too short to tell its language is taken to be in that of the comment.
        return self._teller.tell(text, language_nearby) in STANCE_LANGUAGES


def _civility_of(names: Sequence[str], row: NDArray[np.float64]) -> Civility:
    attributes = {
        cast(Attribute, name): rounded(value) for name, value in zip(names, row.tolist(), strict=True)
    }
    return Civility(score=rounded(1 - attributes["TOXICITY"]), attributes=attributes)


def _answer(
    request: ScoreRequest,
    *,
    version: str,
    language: str,
    civility: Civility | None,
    stances: ToldStances,
    listed: bool,
    spans: Sequence[Span],
    thresholds: Thresholds,
) -> ScoreAnswer:
    # Only fields that are set are sent, so a key left out here is absent from the answer.
    extras: dict[str, Any] = {}
    if civility is None:
        extras["civility_omitted"] = "language"
    stance = next(iter(stances.to_premises), None)
    readable = language in STANCE_LANGUAGES
    if stance is None:
        extras["stance_omitted"] = "language" if stances.to_premises or not readable else "no premise"
    if listed:
        extras["stances"] = list(stances.to_premises) if readable else None
    if request.comment.parent is not None:
        extras["reply_stance"] = stances.to_parent
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
            score=rounded(span.score),
        )
        for span in spans
    ]
