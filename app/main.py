"""The wiring of the service: `uvicorn app.main:create_app --factory`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from app.access.gate import KeyGate
from app.access.starting import check_start
from app.api import articles, feedback, health, metrics, models, scores, summary
from app.compat import openai, perspective
from app.compat.envelopes import PROTOCOLS, ForeignEnvelopes
from app.integrations import coral, discourse
from app.limits.admission import AdmissionGate
from app.limits.bodies import BodyLimit
from app.limits.callers import RateLimit
from app.limits.refusals import gate_of
from app.limits.wiring import body_limits, connection_limits
from app.openapi import describe_access, describe_bodies
from app.ops.draining import CloseWhileDraining
from app.ops.encodings import PlainBodies
from app.ops.headers import CORS, SecurityHeaders
from app.ops.logging import RequestLog, configure_logging
from app.ops.metrics import service_registry
from app.ops.problems import add_problem_handlers
from app.ops.requests import RequestMeter
from app.ops.telemetry import RequestTrace
from app.service import Service
from app.settings import Settings, load_settings
from counterpoint import __version__

__all__ = ["FREE_PATHS", "create_app"]

FREE_PATHS = frozenset({"/livez", "/readyz", "/openapi.json", "/$discovery/rest", "/integrations/"})
"""Paths that need no key: they tell nothing of comments, or carry a signature of their own."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the service as an ASGI application, its model loaded.

    Args:
        settings: what to run with; read from the environment by default.

    Raises:
        CounterpointError: a setting or the bundle is wrong; the message is for the operator.
    """
    settings = settings or load_settings()
    configure_logging(settings.log_level)
    service = Service(settings)
    check_start(settings, service.store.keys)
    gate = gate_of(service.admission)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with service.open():
            yield {"gate": gate, "connections": connection_limits(settings)}

    app = FastAPI(
        title="Counterpoint",
        summary="Scores reader comments: how civil they are, and whether they agree with the premise.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # the ready-made pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.metrics = service_registry(service)
    parts = (
        scores,
        summary,
        articles,
        feedback,
        models,
        health,
        metrics,
        perspective,
        openai,
        coral,
        discourse,
    )
    for part in parts:
        app.include_router(part.router)
    describe_bodies(app)
    describe_access(app, [part.router for part in parts])
    add_problem_handlers(app)
    # The last one added is asked first.
    app.add_middleware(AdmissionGate, gate=gate)
    app.add_middleware(BodyLimit, limits=body_limits(settings), except_paths={scores.STREAM_PATH})
    app.add_middleware(PlainBodies)
    app.add_middleware(
        RateLimit,
        limiter=service.rates,
        default=settings.requests_a_minute,
        trusted_proxies=settings.trusted_proxies,
        except_paths={"/livez", "/readyz", "/metrics"},
        refused=service.instruments.turned_away,
    )
    free = FREE_PATHS | {metrics.PATH} if settings.metrics_open else FREE_PATHS
    app.add_middleware(KeyGate, access=service.access, free_paths=free)
    app.add_middleware(ForeignEnvelopes, protocols=PROTOCOLS)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, **CORS)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(CloseWhileDraining, draining=service.draining)
    app.add_middleware(RequestLog)
    if service.tracing.on:
        app.add_middleware(RequestTrace, tracing=service.tracing)
    routes = {route.path for part in parts for route in part.router.routes if isinstance(route, APIRoute)}
    app.add_middleware(RequestMeter, instruments=service.instruments, routes=routes)
    return app
