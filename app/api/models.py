"""Which versions of the models are at hand, and which one is in use."""

import logging

from anyio import to_thread
from fastapi import APIRouter

from app.errors import ConflictError, ForbiddenError
from app.openapi import problems
from app.schemas import ModelInfo, ModelList
from app.service import CurrentService
from models.errors import BundleError

__all__ = ["router"]

_log = logging.getLogger("counterpoint.models")

router = APIRouter(tags=["models"])


@router.get("/v1/models")
async def list_models(service: CurrentService) -> ModelList:
    """Return the versions at hand, oldest first."""
    return await to_thread.run_sync(service.shelf.list)


@router.get("/v1/models/{version}", responses=problems(404, 409))
async def get_model(version: str, service: CurrentService) -> ModelInfo:
    """Return one version."""
    try:
        return await to_thread.run_sync(service.shelf.describe, version)
    except BundleError as error:
        raise _untrusted(error) from error


@router.post("/v1/models/{version}/activate", responses=problems(403, 404, 409))
async def activate_model(version: str, service: CurrentService) -> ModelInfo:
    """Put another version to use, without a pause and without mixing two versions in one answer."""
    if not service.settings.allow_activate:
        raise ForbiddenError("The model may not be changed here; COUNTERPOINT_ALLOW_ACTIVATE=true allows it.")
    try:
        return await to_thread.run_sync(service.shelf.activate, version)
    except BundleError as error:
        raise _untrusted(error) from error


def _untrusted(error: BundleError) -> ConflictError:
    _log.warning("a bundle is refused: %s", error)
    return ConflictError("This version cannot be trusted; the log says why. The active model stays.")
