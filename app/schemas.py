"""The words of the API: what is asked and what is answered, for service, client and command line.

Requests refuse unknown fields, so that a typo is told and not ignored. Answers allow them, so that
an older client reads a newer service. In a request, `null` means the same as leaving the field out.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

__all__ = [
    "Action",
    "Adaptation",
    "AdjustedShare",
    "Article",
    "ArticleRecord",
    "ArticleRegistration",
    "ArticleSummary",
    "Attribute",
    "BatchAnswer",
    "BatchRequest",
    "Civility",
    "Claims",
    "Comment",
    "CommentInLanguage",
    "Decision",
    "FeedbackBatch",
    "FeedbackComment",
    "FeedbackReceipt",
    "FeedbackRequest",
    "FieldProblem",
    "Health",
    "Keeping",
    "ModelInfo",
    "ModelList",
    "Parent",
    "PremiseSource",
    "Problem",
    "Reason",
    "Role",
    "ScoreAnswer",
    "ScoreRequest",
    "SentenceAnswer",
    "SpanAnswer",
    "Stance",
    "StanceLabel",
    "StanceName",
    "SummaryCell",
    "SummaryPart",
    "SummaryPeriod",
]

Attribute = Literal["TOXICITY", "SEVERE_TOXICITY", "INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK"]
StanceName = Literal["agree", "disagree", "neutral"]
StanceLabel = Literal["agree", "disagree", "neutral", "uncertain"]
PremiseSource = Literal["premise", "registered", "title", "lead"]
Action = Literal["approve", "review", "reject"]
Keeping = Literal["text", "digest"]
Role = Literal["moderator", "reader"]

Id = Annotated[str, Field(max_length=256)]
Url = Annotated[str, Field(max_length=2048)]
Unit = Annotated[float, Field(ge=0, le=1)]

_LANGUAGE_TAG = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"
_PREMISE = "The city should ban cars from its centre"
_REQUEST: JsonValue = {
    "comment": {"text": "I disagree with the premise: shops need deliveries.", "id": "c1"},
    "article": {"id": "2026/11/car-ban", "premise": _PREMISE},
}
_REPLY: JsonValue = {
    "comment": {"text": "No. Shops need deliveries.", "parent": {"text": "Ban them all."}},
    "article": {"premise": [_PREMISE, "Buses should be free"]},
    "explain": True,
}
_ANSWER: JsonValue = {
    "id": "c1",
    "model": "2026.11.0",
    "language": "en",
    "civility": {
        "score": 0.93,
        "attributes": {
            "TOXICITY": 0.07,
            "SEVERE_TOXICITY": 0.01,
            "INSULT": 0.03,
            "PROFANITY": 0.01,
            "THREAT": 0.01,
            "IDENTITY_ATTACK": 0.01,
        },
    },
    "stance": {
        "label": "disagree",
        "confidence": 0.81,
        "probabilities": {"agree": 0.08, "disagree": 0.81, "neutral": 0.11},
        "relevance": 0.9,
        "premise": _PREMISE,
        "premise_source": "premise",
    },
    "decision": {"action": "approve", "reasons": []},
}
_FEEDBACK: JsonValue = {
    "comment": {"text": "What a clown show.", "id": "c2"},
    "article": {"id": "2026/11/car-ban", "premise": _PREMISE},
    "labels": {"INSULT": 0, "TOXICITY": 0},
    "stance": "disagree",
    "source": "moderator:17",
    "role": "moderator",
    "community": "news.example",
    "client_token": "comment:c2",
}
_PROBLEM: JsonValue = {
    "type": "urn:counterpoint:problem:invalid-request",
    "title": "Invalid request",
    "status": 422,
    "detail": "1 field is wrong.",
    "instance": "urn:counterpoint:request:4f1c2d",
    "errors": [
        {"field": "comment.text", "message": "has 20481 bytes, at most 20480 allowed", "limit": 20480}
    ],
}


def _check_claims(value: Any) -> Any:
    # Before the union is tried, so that there is one error and not one for each of its members.
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return value
    raise PydanticCustomError("claims_type", "must be a string or a list of strings")


Claims = Annotated[str | list[str], BeforeValidator(_check_claims)]
"""A claim, or a list of claims."""


def _example(*examples: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Parent(_Request):
    """The comment that is replied to."""

    text: str


class Comment(_Request):
    """One reader's comment."""

    text: str
    """At most 20,480 UTF-8 bytes, and something visible in it."""
    id: Id | None = None
    """Given back in the answer."""
    language: str | None = Field(default=None, pattern=_LANGUAGE_TAG, max_length=35)
    """BCP 47 tag; counts where the text is too short to tell its language."""
    parent: Parent | None = None


class CommentInLanguage(Comment):
    """A comment whose language its caller vouches for, as other protocols let them; not of the native API."""

    language: str


class Article(_Request):
    """What is known of the article under which the comment stands; everything may be left out."""

    id: Id | None = None
    url: Url | None = None
    title: str | None = None
    premise: Claims | None = None
    """The claim towards which the stance is told, or a list of claims; comes before everything else."""
    text: str | None = None
    """Its lead is the premise where nothing better is known."""


class ScoreRequest(_Request):
    """One comment to score."""

    model_config = _example(_REQUEST, _REPLY, {"comment": {"text": "Well said."}})

    comment: Comment
    article: Article | None = None
    explain: bool = False
    """Whether to tell which words raise an attribute, and which sentences make up the stance."""
    store: Keeping | None = None
    """What may be stored of the comment beside its scores: its text, or only a digest of it. Without it,
    nothing is stored."""


class BatchRequest(_Request):
    """Comments to score together; each item is judged on its own."""

    model_config = _example({"items": [_REQUEST, {"comment": {"text": "Well said."}}]})

    items: list[ScoreRequest]


class Civility(_Answer):
    """How civil the comment is."""

    score: Unit
    """1 - TOXICITY."""
    attributes: dict[Attribute, Unit]
    """All six for English; for another language those that its model has, TOXICITY always."""


class SentenceAnswer(_Answer):
    """A sentence, by code points `begin` to `end` (exclusive), and what it adds to a stance."""

    begin: int
    end: int
    utf16_begin: int
    """`begin` in UTF-16 code units, as JavaScript, Java and the Perspective API count."""
    utf16_end: int
    stance: StanceName
    """The likeliest stance of the comment's own words."""
    score: float
    """The probability of that stance less what it is without the sentence, from -1 to 1."""


class Adaptation(_Answer):
    """What the labels of an article's own comments made of a stance."""

    labels: int
    """Comments of the article whose labels count."""
    version: str
    """Names these labels and the model: the same name, the same adaptation."""
    general_label: StanceLabel
    """The label without it, which is stored and counted."""
    general: dict[StanceName, Unit]
    """The probabilities without it."""


class Stance(_Answer):
    """Where the comment stands towards a premise."""

    label: StanceLabel
    """The likeliest stance; "uncertain" where confidence is below the model's floor, or where the comment
    more likely does not speak about the premise at all."""
    confidence: Unit
    """Probability of the likeliest stance."""
    probabilities: dict[StanceName, Unit]
    """Given that the comment speaks about the premise; they sum to 1."""
    relevance: Unit
    """How likely the comment speaks about the premise at all."""
    premise: str
    """What was judged: the claim, or the parent comment."""
    premise_source: PremiseSource | None = None
    """Where the claim was found; absent for the stance towards a parent comment."""
    sentences: list[SentenceAnswer] | None = None
    """The strongest first; absent without `explain`, and for the stance towards a parent comment."""
    adaptation: Adaptation | None = None
    """Absent where the general model alone was asked."""

    @property
    def general_label(self) -> StanceLabel:
        """The label that the general model gives."""
        return self.label if self.adaptation is None else self.adaptation.general_label

    @property
    def general_probabilities(self) -> dict[StanceName, Unit]:
        """The probabilities that the general model gives."""
        return self.probabilities if self.adaptation is None else self.adaptation.general


class Reason(_Answer):
    """Why a decision is not to approve."""

    code: Literal["score over threshold", "language not supported"]
    action: Action
    attribute: Attribute | None = None
    score: Unit | None = None
    threshold: Unit | None = None


class Decision(_Answer):
    """What the thresholds make of the civility scores; the stance plays no part."""

    action: Action
    reasons: list[Reason]


class SpanAnswer(_Answer):
    """A word that raises an attribute: code points `begin` to `end` (exclusive) of the comment's text."""

    begin: int
    end: int
    utf16_begin: int
    """`begin` in UTF-16 code units, as JavaScript, Java and the Perspective API count."""
    utf16_end: int
    attribute: Attribute
    score: Unit


class ScoreAnswer(_Answer):
    """The answer for one comment."""

    model_config = _example(_ANSWER)

    id: str | None
    model: str
    """Version of the bundle that scored."""
    language: str
    civility: Civility | None
    civility_omitted: Literal["language"] | None = None
    """Why `civility` is null; absent where it is not."""
    stance: Stance | None
    stance_omitted: Literal["no premise", "language"] | None = None
    """Why `stance` is null; absent where it is not."""
    stances: list[Stance | None] | None = None
    """One for each claim where a list of them was given or is registered, in order, the first being `stance`;
    null for a claim in a language that is not supported. Null altogether where the comment's is not."""
    reply_stance: Stance | None = None
    """Stance towards the parent comment; absent without one, null where its language or the comment's is
    not supported."""
    decision: Decision
    spans: list[SpanAnswer] | None = None
    """Absent without `explain`."""
    stored: Literal["text", "digest", "no"] | None = None
    """What is stored for good by now; absent where nothing was to be."""


class FieldProblem(_Answer):
    """One field at fault."""

    field: str
    """Its path in the request or item, for example `comment.text`."""
    message: str
    limit: int | None = None
    """The limit that was broken, where there is one."""


class Problem(_Answer):
    """What is wrong, as RFC 9457 has it (application/problem+json). It never quotes comment text."""

    model_config = _example(_PROBLEM)

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    """Names the request by its X-Request-ID."""
    errors: list[FieldProblem] = []
    id: str | None = None
    """`comment.id` of the refused item of a batch or stream, where it could be read."""
    line: int | None = None
    """Number of the refused line of a stream, the first being 1."""


class BatchAnswer(_Answer):
    """An answer or a problem for each item, in the order of the items."""

    model_config = _example({"results": [_ANSWER, _PROBLEM]})

    results: list[ScoreAnswer | Problem]


class ArticleRegistration(_Request):
    """A premise to register for an article."""

    model_config = _example(
        {"premise": _PREMISE, "url": "https://news.example/car-ban"},
        {"premise": [_PREMISE, "Buses should be free"]},
    )

    premise: Claims
    """The claim towards which the stance is told, or a list of claims."""
    url: Url | None = None
    title: str | None = None


class ArticleRecord(_Answer):
    """A registered article."""

    model_config = _example(
        {"id": "2026/11/car-ban", "premise": _PREMISE, "url": "https://news.example/car-ban", "title": None}
    )

    id: str
    premise: Claims
    """As it was registered: a claim, or a list of claims."""
    url: str | None
    title: str | None


class FeedbackComment(_Request):
    """The comment that is judged."""

    text: str | None = None
    """May be left out where a comment with this id is stored with its text."""
    id: Id | None = None
    language: str | None = Field(default=None, pattern=_LANGUAGE_TAG, max_length=35)


class FeedbackRequest(_Request):
    """What somebody says a comment's labels should be. At least one of `labels` and `stance` is needed."""

    model_config = _example(_FEEDBACK)

    comment: FeedbackComment
    article: Article | None = None
    """Finds the premise that `stance` is towards, as in scoring; of several claims that is the first."""
    labels: dict[Attribute, Unit] = {}
    """Attribute → 1 for yes, 0 for no, or what lies between."""
    stance: StanceName | None = None
    source: str = Field(default="api", min_length=1, max_length=256)
    """Who says so, for example "moderator:17"."""
    role: Role | None = None
    community: Id | None = None
    client_token: Id | None = None
    """Of the same source, community and token only the newest opinion counts."""


class FeedbackBatch(_Request):
    """Several opinions, kept together: all of them or none."""

    model_config = _example({"items": [_FEEDBACK]})

    items: list[FeedbackRequest]


class FeedbackReceipt(_Answer):
    """Says that opinions are kept for good."""

    ids: list[str]
    """A name for each, in order."""
    received: str
    """ISO 8601 time."""


class AdjustedShare(_Answer):
    """How many comments are of a kind: as counted, and as it would be if the model made no errors."""

    count: int
    share: Unit | None
    """Estimated share of the judged comments; null without any."""
    low: Unit | None
    """Lower end of the 95 % interval."""
    high: Unit | None
    """Upper end."""


class SummaryPart(_Answer):
    """Shares of one kind of judgement."""

    judged: int
    """Comments with such a judgement."""
    undecided: int = 0
    """Those among them that are labelled "uncertain"."""
    adjusted: bool
    """Whether shares and intervals take the model's known error rates into account."""
    basis: str
    """What the error rates were measured on or, unadjusted, why there are none."""
    shares: dict[str, AdjustedShare]


class SummaryCell(AdjustedShare):
    """The comments with one stance and one civility."""

    stance: StanceName | Literal["uncertain"]
    civility: Literal["civil", "uncivil"]


class SummaryPeriod(_Answer):
    """One hour, day or week."""

    begin: str
    """ISO 8601, UTC; weeks begin on Monday."""
    comments: int
    stance: SummaryPart
    civility: SummaryPart


class ArticleSummary(_Answer):
    """An article's stored comments by stance and civility."""

    article: str
    premise: str | None
    """As registered now; of several claims the first, towards which the counted stances are."""
    comments: int
    models: dict[str, int]
    """Version → comments that it scored."""
    stance: SummaryPart
    civility: SummaryPart
    cells: list[SummaryCell]
    """Stance × civility, of the comments that have both."""
    periods: list[SummaryPeriod]
    """In order; those without comments are left out."""


class ModelInfo(_Answer):
    """One version at hand."""

    version: str
    active: bool
    created: str
    """ISO 8601 time at which the bundle was made."""
    languages: list[str]
    metrics: dict[str, object]
    """Held-out results, as written at training."""


class ModelList(_Answer):
    """The versions at hand, oldest first."""

    active: str
    models: list[ModelInfo]


class Health(_Answer):
    """Whether the service works, and each part it needs."""

    status: Literal["ok", "degraded"]
    checks: dict[str, str] = {}
