"""Asking for scores, in this process or from a running service, with the same answers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from app.client import Client
from app.errors import InvalidRequestError
from app.headlines import claim_in
from app.ops.problems import problem_of
from app.premise import lead_of
from app.reading import comment_id_in, is_blank, read_score_request
from app.schemas import Problem, ScoreAnswer, ScoreRequest
from app.scorer import Scorer
from app.settings import Settings, load_settings
from app.shelf import ModelShelf
from app.threads import Thread
from models import load_bundle

__all__ = ["Outcome", "Request", "ask_in_process", "ask_service", "comment_request", "thread_requests"]

Outcome = ScoreAnswer | Problem
Request = dict[str, object]

_PORTION = 256
_RETRIES = 2


def comment_request(
    text: str,
    *,
    id: str | None = None,
    parent: str | None = None,
    article: Mapping[str, object] | None = None,
    explain: bool = False,
) -> Request:
    """The body of `POST /v1/score` for one comment, without what is not known."""
    comment: Request = {"text": text}
    if id is not None:
        comment["id"] = id
    if parent is not None:
        comment["parent"] = {"text": parent}
    request: Request = {"comment": comment}
    if article:
        request["article"] = dict(article)
    if explain:
        request["explain"] = True
    return request


def thread_requests(
    thread: Thread, *, premise: str | list[str] | None, title: str | None, explain: bool
) -> list[Request]:
    """One request for each comment of `thread`, replies with what they answer.

    `premise` and `title` come before the thread's own.
    """
    title = title or thread.title
    # The text can only matter where the title makes no claim, and then its lead is all that counts.
    known = {
        "url": thread.url,
        "title": title,
        "premise": premise or thread.premise,
        "text": None if title and claim_in(title.strip()) else lead_of(thread.text),
    }
    article = {name: value for name, value in known.items() if value}
    texts = {comment.id: comment.text for comment in thread.comments}
    return [
        comment_request(
            comment.text,
            id=comment.id,
            parent=_unless_blank(texts.get(comment.parent or "")),
            article=article,
            explain=explain,
        )
        for comment in thread.comments
    ]


def ask_in_process(requests: Sequence[Request], bundle: Path | None) -> list[Outcome]:
    """An answer or a problem for each request, in order.

    Args:
        requests: the bodies.
        bundle: folder of the bundle; None takes the one that the service would start with.

    Raises:
        CounterpointError: a setting or the bundle is wrong.
    """
    settings = load_settings()
    scorer = (
        ModelShelf(settings).scorer
        if bundle is None
        else Scorer(load_bundle(bundle, settings.trusted_keys), settings)
    )
    checked = [_checked(request, settings) for request in requests]
    good = [request for request in checked if isinstance(request, ScoreRequest)]
    answers = _answers(scorer, good)
    return [next(answers) if isinstance(item, ScoreRequest) else item for item in checked]


def ask_service(requests: Sequence[Request], url: str, api_key: str | None = None) -> list[Outcome]:
    """An answer or a problem for each request, in order, from the service at `url`.

    Raises:
        ClientError: it does not answer, or refuses all of it.
    """
    with Client(url, api_key=api_key, retries=_RETRIES) as client:
        return client.score_batch(requests)


def _answers(scorer: Scorer, requests: Sequence[ScoreRequest]) -> Iterator[ScoreAnswer]:
    for start in range(0, len(requests), _PORTION):
        yield from scorer.score(requests[start : start + _PORTION])


def _checked(request: Request, settings: Settings) -> ScoreRequest | Problem:
    try:
        return read_score_request(request, settings)
    except InvalidRequestError as refusal:
        return problem_of(refusal, id=comment_id_in(request))


def _unless_blank(text: str | None) -> str | None:
    return None if text is None or is_blank(text) else text
