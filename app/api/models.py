"""Which versions of the models are at hand, and which one is in use."""

import logging
from collections.abc import Callable

from anyio import to_thread
from fastapi import APIRouter

from app.access.needs import needs
from app.errors import ActiveFileError, ConflictError, ForbiddenError
from app.openapi import problems
from app.schemas import ModelInfo, ModelList
from app.service import CurrentService
from models.errors import BundleError

__all__ = ["router"]

_log = logging.getLogger("counterpoint.models")

router = APIRouter(tags=["models"])


@router.get("/v1/models", dependencies=[needs("score")])
async def list_models(service: CurrentService) -> ModelList:
    """Return the versions at hand, oldest first."""
    return await to_thread.run_sync(service.shelf.list)


@router.post("/v1/models/rollback", dependencies=[needs("admin")], responses=problems(403, 404, 409, 429))
async def roll_back_model(service: CurrentService) -> ModelInfo:
    """Put the version that was active before to use again, as an activation does."""
    return await _change(service, service.shelf.roll_back)


@router.get("/v1/models/{version}", dependencies=[needs("score")], responses=problems(404, 409, 429))
async def get_model(version: str, service: CurrentService) -> ModelInfo:
    """Return one version."""
    try:
        return await to_thread.run_sync(service.shelf.describe, version)
    except BundleError as error:
        raise _untrusted(error) from error


@router.post(
    "/v1/models/{version}/activate", dependencies=[needs("admin")], responses=problems(403, 404, 409, 429)
)
async def activate_model(version: str, service: CurrentService) -> ModelInfo:
    """Put another version to use, without a pause and without mixing two versions in one answer.

    It is in use here once this is answered; other workers follow within seconds.
    """
    return await _change(service, service.shelf.activate, version)


async def _change(service: CurrentService, change: Callable[..., ModelInfo], *args: str) -> ModelInfo:
    if not service.settings.allow_activate:
        raise ForbiddenError("The model may not be changed here; COUNTERPOINT_ALLOW_ACTIVATE=true allows it.")
    try:
        return await to_thread.run_sync(change, *args)
    except BundleError as error:
        raise _untrusted(error) from error
    except ActiveFileError as error:
        _log.error("a version is not activated: %s", error)
        raise ConflictError(
            "The activation cannot be written down; the log says why. The active model stays."
        ) from error


def _untrusted(error: BundleError) -> ConflictError:
    _log.warning("a bundle is refused: %s", error)
    return ConflictError("This version cannot be trusted; the log says why. The active model stays.")
