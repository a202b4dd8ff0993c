"""What a monitoring system reads."""

from anyio import to_thread
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import Response

from app.access.needs import needs
from app.service import CurrentService

__all__ = ["PATH", "router"]

PATH = "/metrics"

router = APIRouter(tags=["health"], dependencies=[needs("admin")])


@router.get(
    PATH,
    response_class=Response,
    responses={200: {"description": "Prometheus' text format.", "content": {CONTENT_TYPE_LATEST: {}}}},
)
async def metrics(request: Request, service: CurrentService) -> Response:
    """Tell what the service does and how it fares, for Prometheus; docs/operating.md lists it."""
    service.note_state()
    registry: CollectorRegistry = request.app.state.metrics
    return Response(await to_thread.run_sync(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)
