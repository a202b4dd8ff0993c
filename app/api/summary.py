"""An article's stored comments by stance and civility."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BeforeValidator

from app.access.needs import needs
from app.api.articles import ArticleId
from app.error_rates import LABELS, error_rates_of
from app.errors import NotFoundError
from app.openapi import problems
from app.premise import find_premise
from app.schemas import ArticleSummary
from app.service import CurrentService
from app.shelf import ModelShelf
from app.summary import KnownRates, Period, summarise, thresholds_of
from models.errors import BundleError

__all__ = ["router"]

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]")


def _check_date_time(value: str) -> str:
    # Pydantic takes a bare number for seconds, or for milliseconds where it is large.
    if not _DATE_TIME.match(value):
        raise ValueError("is not an RFC 3339 date-time")
    return value


_DateTime = Annotated[AwareDatetime, BeforeValidator(_check_date_time, json_schema_input_type=AwareDatetime)]

router = APIRouter(tags=["articles"], dependencies=[needs("score")])


@router.get("/v1/articles/{article_id:path}/summary", responses=problems(404, 422, 429, 503))
async def summarise_article(
    article_id: ArticleId,
    service: CurrentService,
    by: Annotated[Period, Query(description="Length of a period, in UTC.")] = "day",
    since: Annotated[
        _DateTime | None, Query(description="First moment that counts, by the time of scoring.")
    ] = None,
    until: Annotated[_DateTime | None, Query(description="First moment that does not.")] = None,
) -> ArticleSummary:
    """Count an article's stored comments, and correct the shares for the model's known errors.

    Only comments scored with `store` are counted. An interval is where the share lies with 95 %
    probability, given how often the model errs; without known error rates it is that of the labels alone.
    """
    store = service.store
    article = await service.ask_store(store.articles.get, article_id)
    url = None if article is None else article.url
    models = await service.ask_store(store.comments.models_of, article_id, url)
    if article is None and not models:
        raise NotFoundError("No article is registered under this id, and no comment of it is stored.")
    rates = await to_thread.run_sync(_rates_of, models, service.shelf)

    count = partial(store.comments.count, article_id, url, thresholds_of(rates), since=since, until=until)
    counts = await service.ask_store(count)
    premise = None if article is None else find_premise(None, article.premise)
    return await to_thread.run_sync(summarise, article_id, premise, counts, rates, by)


def _rates_of(models: Sequence[str], shelf: ModelShelf) -> KnownRates:
    rates = {}
    for model in models:
        try:
            metrics = shelf.describe(model).metrics
        except (NotFoundError, BundleError):  # a version that is not at hand any more
            metrics = {}
        rates[model] = {kind: error_rates_of(metrics, kind) for kind in LABELS}
    return rates
