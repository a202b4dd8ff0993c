"""Whether the process lives, and whether it can score."""

from fastapi import APIRouter

from app.errors import StoreError, UnavailableError
from app.openapi import problems as documented
from app.schemas import Health
from app.service import CurrentService

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/livez", response_model_exclude_unset=True)
async def livez() -> Health:
    """Answer as long as the process lives."""
    return Health(status="ok")


@router.get("/readyz", responses=documented(503))
async def readyz(service: CurrentService) -> Health:
    """Tell whether comments are scored, and what is amiss.

    "degraded" is still ready: without the database, scores come without registered premises, where a
    version is refused, the one before it goes on serving, and without Redis each process counts rates for
    itself.
    """
    if not service.batcher.alive:
        raise UnavailableError("No comment is scored any more; the service has to be started again.")
    checks = {"model": service.shelf.scorer.version, "database": "ok"}
    try:
        await service.ask_store(service.store.check)
    except StoreError:
        checks["database"] = "does not answer; scores come without registered premises"
    problems = {"activation": service.shelf.problem, "challenger": service.observing.problem}
    await service.rates.check()
    if service.rates.is_down:
        problems["rates"] = "Redis does not answer; each process counts requests a minute for itself"
    refused = {name: problem for name, problem in problems.items() if problem is not None}
    if (keys := service.access.problem) is not None:
        refused["keys"] = keys
    fine = checks["database"] == "ok" and not refused
    return Health(status="ok" if fine else "degraded", checks=checks | refused)
