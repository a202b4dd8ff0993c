"""The one reader of the environment: every COUNTERPOINT_ variable, its default and its meaning."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from app.errors import SettingsError
from models import RELEASES
from models.errors import ModelError
from models.signing import check_public_key

__all__ = ["PREFIX", "Settings", "Threshold", "Thresholds", "load_settings"]

PREFIX = "COUNTERPOINT_"
_NESTING = "__"
_OTHERS = ("API_KEY", "DATA_DIR", "LEFT_KEY", "RIGHT_KEY", "SQL")  # read by the commands, not by the service
_Secret = Annotated[SecretStr, Field(min_length=12)]  # Discourse accepts no shorter one


def _checked_key(text: str) -> str:
    try:
        check_public_key(text)
    except ModelError as error:
        raise ValueError(str(error)) from None
    return text


_PublicKey = Annotated[str, AfterValidator(_checked_key)]
_Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
_KUBERNETES = ("SERVICE_", "PORT_")  # set by Kubernetes for a service called "counterpoint"


class Threshold(BaseModel):
    """From which score in [0, 1] an attribute asks for a review, and from which for a rejection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    review: float | None = Field(ge=0, le=1)
    reject: float | None = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _review_comes_first(self) -> Self:
        if self.review is not None and self.reject is not None and self.review > self.reject:
            raise ValueError("review must not be above reject")
        return self


class Thresholds(BaseModel):
    """One `Threshold` an attribute. The defaults are editorial starting points, not fitted values.

    Nothing is rejected for TOXICITY alone, which also rises at sharp words about ideas, nor for
    IDENTITY_ATTACK alone, which still rises at identity words in civil sentences: there a person looks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    toxicity: Threshold = Threshold(review=0.80, reject=None)
    severe_toxicity: Threshold = Threshold(review=0.40, reject=0.80)
    insult: Threshold = Threshold(review=0.80, reject=0.98)
    profanity: Threshold = Threshold(review=0.90, reject=None)
    threat: Threshold = Threshold(review=0.50, reject=0.90)
    identity_attack: Threshold = Threshold(review=0.80, reject=None)


class Settings(BaseSettings):
    """What an operator can change. Each field is the variable COUNTERPOINT_ + its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=_NESTING,
        nested_model_default_partial_update=True,
        env_parse_none_str="null",
        use_attribute_docstrings=True,
        frozen=True,
        extra="forbid",
    )

    host: str = "127.0.0.1"
    """Address the service listens on."""

    port: int = Field(default=8000, ge=0, le=65535)
    """Port the service listens on; 0 takes a free one. Kubernetes sets a variable of this name for a
    service called "counterpoint": switch that off with `enableServiceLinks: false`."""

    open: bool = False
    """Whether everybody who reaches the service may use it, without a key. Otherwise a service without any
    key answers on loopback only, with a warning, and refuses to start on another address."""

    key_secret: SecretStr | None = Field(default=None, min_length=32)
    """Secret under which API keys are stored, at least 32 characters. Several, separated by white space,
    while it is being rotated: the first is for new keys, all of them for known ones."""

    key_secret_file: Path = Path("counterpoint-key-secret")
    """File with that secret, one a line, where `key_secret` is unset. `counterpoint keys create` makes it
    where there is none. Every replica needs the same."""

    key_check_s: float = Field(default=2.0, gt=0, le=60)
    """How often, in seconds, each worker reads the keys anew: a revocation counts everywhere after that."""

    key_outage_s: float = Field(default=3_600, ge=0, le=604_800)
    """How long, in seconds, known keys go on where the database does not answer; unknown ones get 503."""

    key_use_s: float = Field(default=60.0, gt=0, le=86_400)
    """How late, in seconds, a key's last use may be written down."""

    metrics_open: bool = False
    """Whether `/metrics` needs no key. Otherwise it takes one with the scope admin, unless the service
    is open."""

    cors_origins: list[_Origin] = []
    """Origins, such as `["https://news.example"]`, whose pages may call the service from a browser. Remember
    that a page cannot keep a key secret. Without any, browsers are told nothing and so refuse."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least level that is logged. No level logs comment text."""

    releases: Path = RELEASES
    """Folder of bundles, one folder a version."""

    bundle_version: str | None = None
    """Version to serve, whatever is activated. Unset serves the version that was activated last, and the
    newest in `releases` where none was."""

    allow_activate: bool = False
    """Whether `POST /v1/models/{version}/activate` and `POST /v1/models/rollback` may change the model of
    the running service."""

    active_file: Path | None = None
    """File that says which version is active, which every worker follows. Unset is `.active.json` in
    `releases`. Its folder must be writable for whoever activates."""

    release_check_s: float = Field(default=1.0, gt=0, le=3_600)
    """How often, in seconds, each worker looks whether another version was activated."""

    trusted_keys: Annotated[list[_PublicKey], Field(min_length=1)] | None = None
    """Ed25519 public keys, as a JSON list (`counterpoint models keygen` prints them). Where set, a bundle
    that none of them has signed is refused."""

    database_url: str = "sqlite:///counterpoint.sqlite3"
    """SQLAlchemy URL of the database of registered premises, stored comments and feedback: SQLite or
    PostgreSQL. A SQLite file is made at the first start, tables are made and brought up to date. Scoring
    goes on without registered premises where the database does not answer."""

    database_password_file: Path | None = None
    """File whose first line is the database's password, where `database_url` has none: for secrets that
    Docker, Kubernetes or systemd put into files."""

    database_timeout_s: float = Field(default=2.0, gt=0, le=60)
    """How long, in seconds, the database may take before scoring goes on without it."""

    store_comments: Literal["text", "digest", "no"] = "text"
    """Most that is ever stored of a scored comment whose caller asks for storing: its text, a digest of the
    text, or nothing at all. Nothing is stored unasked."""

    drain_s: float = Field(default=0.0, ge=0, le=600)
    """How long, in seconds, the service goes on answering after SIGTERM while `/readyz` answers 503, so that
    balancers turn to others before it stops listening."""

    shutdown_grace_s: int = Field(default=30, ge=1, le=3_600)
    """How long, in seconds, requests in flight may take once the service has stopped listening."""

    max_text_bytes: int = Field(default=20_480, ge=1)
    """Most UTF-8 bytes of `comment.text`, `comment.parent.text`, `article.premise` and `article.title`."""

    max_article_text_bytes: int = Field(default=1_000_000, ge=1)
    """Most UTF-8 bytes of `article.text`."""

    max_batch_items: int = Field(default=1_000, ge=1)
    """Most items of one `POST /v1/score/batch`."""

    max_body_bytes: int = Field(default=25_000_000, ge=1)
    """Most bytes of a request body, except on the stream."""

    max_held_bytes: int = Field(default=250_000_000, ge=1)
    """Most bytes of all request bodies that are being read or answered at once, except on the stream. A
    request beyond it is answered 503."""

    body_grace_s: float = Field(default=10.0, gt=0, le=600)
    """How long, in seconds, the body of a request may take to arrive, however small it is. A slower one is
    answered 408."""

    body_bytes_per_s: int = Field(default=10_000, ge=1)
    """How many bytes of a body must arrive in each second after that."""

    max_header_bytes: int = Field(default=32_768, ge=1_024)
    """Most bytes of a request line with its headers."""

    header_timeout_s: float = Field(default=10.0, gt=0, le=600)
    """How long, in seconds, these may take to arrive."""

    max_connections: int = Field(default=800, ge=1)
    """Most connections to one process. Requests on those beyond it are answered 503. The process must be
    allowed about 200 more open files (`ulimit -n`)."""

    max_line_bytes: int = Field(default=2_000_000, ge=1)
    """Most bytes of one line of `POST /v1/score/stream`."""

    stream_window: int = Field(default=128, ge=1)
    """Most lines of one stream in flight: read, but not yet answered. Bounds the stream's memory."""

    stream_window_bytes: int = Field(default=8_000_000, ge=1)
    """From how many bytes of lines in flight no further line of the stream is read."""

    stream_idle_s: float = Field(default=60.0, gt=0, le=86_400)
    """How long, in seconds, a stream may wait for its caller to send on; then it is ended."""

    requests_a_minute: int | None = Field(default=None, ge=1)
    """How many comments a caller may have scored a minute, unless its key says otherwise; without a value,
    any number. Callers without a key are told apart by their addresses. A request counts as many comments
    as it has, and at least one."""

    trusted_proxies: int = Field(default=0, ge=0, le=10)
    """How many proxies stand in front of the service, each adding to `X-Forwarded-For` the address from which
    it was asked: so many entries from the right is the caller's. With 0 that header is not read."""

    redis_url: SecretStr | None = None
    """Redis or Valkey in which all processes count the requests a minute together, such as
    `redis://host:6379/0`. Without it, each process counts for itself; so it does, too, while Redis does not
    answer. Needs the extra `redis`."""

    redis_timeout_ms: float = Field(default=100.0, gt=0, le=10_000)
    """How long, in milliseconds, a request may wait for Redis."""

    overload_latency_ms: float | None = Field(default=150.0, gt=0, le=60_000)
    """Within how many milliseconds single comments are to be answered under overload: requests that would
    take longer, judging by those before them, are answered 503 at once. Without a value, none is."""

    deadline_s: float = Field(default=30.0, gt=0, le=3_600)
    """Within how many seconds a comment is scored, or given up and answered 503. While more comments of
    batches and streams wait than are scored in this time, new ones are answered 503 at once."""

    micro_batch_size: int = Field(default=64, ge=1)
    """Most comments scored by one call of the models."""

    micro_batch_wait_ms: float = Field(default=2.0, ge=0, le=1_000)
    """How long, in milliseconds, a comment waits at most until as many others have come as shared the last
    micro-batch. One that comes alone, after one that came alone, does not wait."""

    micro_batch_budget_ms: float = Field(default=100.0, gt=0, le=10_000)
    """How long, in milliseconds, one call of the models should take at most; micro-batches are kept small
    enough for it, as far as the comments so far tell."""

    max_waiting: int = Field(default=2_000, ge=1)
    """Most comments that wait to be scored. A single one beyond it is answered 503; those of batches and
    streams, counted by themselves, wait until there is room."""

    challenger: str | None = None
    """Version that scores a sample of the traffic in the background, to be compared with the active one:
    `counterpoint models shadow-report`. It never answers."""

    challenger_share: float = Field(default=0.1, gt=0, le=1)
    """Share of the comments that the challenger scores too."""

    challenger_max_waiting: int = Field(default=500, ge=1)
    """Most comments that wait for the challenger; those beyond are left out, and counted."""

    observations: Path | None = Path("counterpoint-observations")
    """Folder where each worker keeps counts of scores, languages and the challenger's differences by day,
    and never a text. `null` keeps them in memory only."""

    observations_days: int = Field(default=90, ge=2)
    """For how many days these counts are kept."""

    encoder_share: float | None = Field(default=None, ge=0, le=1)
    """Share of ordinary comments for which the civility model asks its encoder, which understands more and
    takes milliseconds: 0 is the fast stage alone, 1 always; without a value, what the bundle recommends."""

    encoder_threads: int = Field(default=1, ge=1, le=256)
    """Threads of each encoder, stance's and civility's. More may shorten the wait for a single answer where
    cores are idle; for throughput, rather run more replicas."""

    encoder_remembered: int = Field(default=4_096, ge=0, le=1_000_000)
    """How many of its latest texts each encoder remembers the outcome of, by digest, so that it need not
    read them again: about 0.3 kB each; 0 is none."""

    relevance_floor: float = Field(default=0.5, ge=0, le=1)
    """Relevance below which a stance is labelled "uncertain", whatever its confidence, since the comment
    is likely not about the premise; 0 switches that off."""

    adaptation: bool = False
    """Whether the stance towards an article's premise is adapted by the labels that moderators gave comments
    of that article, from five of them on: docs/retraining.md. Off, since it tells which side prevails there
    and hardly which comment takes which."""

    adaptation_remembered: int = Field(default=1_000, ge=1, le=1_000_000)
    """Premises of articles whose adaptation a worker remembers, those asked for last: about 2 kB each."""

    max_premises: int = Field(default=8, ge=1, le=100)
    """Most claims in `article.premise`, and in the `premise` that is registered for an article."""

    explain_sentences: int = Field(default=24, ge=0, le=1_000)
    """Most sentences of a comment, times the claims of its article, whose part in a stance is told with
    `explain`: each costs a reading of the comment without it. A comment with more gets empty lists."""

    default_language: str = Field(default="en", pattern="^[a-z]{2,3}$")
    """Language of a comment where neither its text nor its caller tells."""

    language_confidence: float = Field(default=0.8, ge=0, le=1)
    """Least confidence with which a detected language counts."""

    language_min_letters: int = Field(default=20, ge=1)
    """Fewest letters from which a language is detected; texts in other scripts than Latin need four."""

    coral_secrets: list[_Secret] = []
    """Signing secrets of Coral's phases and webhook endpoints, as a JSON list; several, since each has its
    own, and while one is being rotated. Without any, `/integrations/coral/` answers 503."""

    coral_deadline_ms: float = Field(default=150.0, gt=0, le=10_000)
    """How long, in milliseconds, Coral's phase may wait for a score before it is told that there is no
    opinion. Keep it below the phase's timeout in Coral, which is 200 ms unless changed there."""

    coral_format: Literal["HTML", "PLAIN_TEXT"] = "HTML"
    """The comment body format that Coral's phase is set to."""

    coral_story_hosts: list[str] = []
    """Hosts, such as `["news.example"]`, from whose pages the headline of a new Coral story is read and
    registered as its premise. Without any, no page is fetched."""

    coral_story_networks: list[IPvAnyNetwork] = []
    """Networks, such as `["10.20.0.0/16"]`, in which those hosts may be beside the public Internet: those of
    an intranet. A host that leads to another private, loopback or link-local address is not asked."""

    discourse_secrets: list[_Secret] = []
    """Secrets of Discourse's webhooks, as a JSON list. Without any, `/integrations/discourse` answers 503."""

    webhook_tolerance_s: float = Field(default=14_400.0, gt=0)
    """How old, in seconds, a signed event may be. Discourse tries again for 156 minutes."""

    telemetry_endpoint: str | None = Field(default=None, pattern="^https?://")
    """Where traces are sent, by OTLP over HTTP, such as `http://collector:4318/v1/traces`. Without it none
    are made. Needs the extra `telemetry`."""

    telemetry_share: float = Field(default=0.1, ge=0, le=1)
    """Share of the requests that are traced, of those whose caller does not say."""

    thresholds: Thresholds = Thresholds()
    """From which score each attribute asks for review and rejection, for example
    `COUNTERPOINT_THRESHOLDS__INSULT__REVIEW=0.6`; `null` switches one off."""


def load_settings(**given: Any) -> Settings:
    """Read the settings from the environment; those given win.

    Raises:
        SettingsError: a variable is wrong or unknown; the message names it.
    """
    _check_names()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(map(_sentence, error.errors()))) from None
    except UnreadableVariable as error:
        raise SettingsError(f"a {PREFIX} variable is not JSON: {error}") from None


def _check_names() -> None:
    known = _known_names()
    for variable in os.environ:
        name = variable.upper().removeprefix(PREFIX)
        if name != variable.upper() and name not in known and not name.startswith(_KUBERNETES):
            [nearest] = get_close_matches(name, known, n=1, cutoff=0)
            raise SettingsError(f"{variable} is no setting; the nearest one is {PREFIX}{nearest}")


def _known_names() -> list[str]:
    thresholds = [f"THRESHOLDS{_NESTING}{name.upper()}" for name in Thresholds.model_fields]
    bounds = [f"{name}{_NESTING}{bound.upper()}" for name in thresholds for bound in Threshold.model_fields]
    return [*map(str.upper, Settings.model_fields), *_OTHERS, *thresholds, *bounds]


def _sentence(error: ErrorDetails) -> str:
    variable = PREFIX + _NESTING.join(map(str, error["loc"])).upper()
    return f"{variable}: {error['msg']}"
