"""Whether the process lives, and whether it can score."""

from fastapi import APIRouter

from app.errors import StoreError, UnavailableError
from app.openapi import problems as documented
from app.schemas import Health
from app.service import CurrentService, Service

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/livez", response_model_exclude_unset=True, responses=documented(503))
async def livez(service: CurrentService) -> Health:
    """Answer as long as comments are scored here; what says no has to be started again."""
    _check_scoring(service)
    return Health(status="ok")


@router.get("/readyz", responses=documented(503))
async def readyz(service: CurrentService) -> Health:
    """Tell whether comments are scored, and what is amiss.

    It says no while the process is draining, before it ends. "degraded" is still ready: without the
    database, scores come without registered premises, where a version is refused, the one before it goes
    on serving, and without Redis each process counts rates for itself.
    """
    if service.draining.begun:
        raise UnavailableError("This process is about to end; ask another one.")
    _check_scoring(service)
    checks = {"model": service.shelf.scorer.version, "database": "ok"}
    try:
        await service.ask_store(service.store.check)
        if service.store.database.refuses_to_write:
            checks["database"] = "the last write failed; comments and feedback may not be stored"
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


def _check_scoring(service: Service) -> None:
    if not service.batcher.alive:
        raise UnavailableError("No comment is scored any more; the service has to be started again.")
