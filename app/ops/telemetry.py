"""Traces for OpenTelemetry, made only where `COUNTERPOINT_TELEMETRY_ENDPOINT` says where they go.

Spans carry routes, statuses, counts and versions, and never a path, a query or a text. Names of attributes
are those of OpenTelemetry's semantic conventions for HTTP, where these have one.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import SettingsError
from app.settings import Settings
from counterpoint import __version__

__all__ = ["RequestTrace", "Tracing"]

_PATIENCE_MS = 5_000


class Tracing:
    """Makes spans, or nothing at all where the settings name no endpoint.

    Attributes:
        on: whether spans are made.

    Raises:
        SettingsError: the extra `telemetry` is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self.on = settings.telemetry_endpoint is not None
        self._provider: Any = _provider(settings) if self.on else None
        self._tracer: Any = None
        if self._provider is not None:
            self._tracer = self._provider.get_tracer("counterpoint", __version__)

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[Any]:
        """Return the context of a span inside the one that is open."""
        if not self.on:
            return nullcontext()
        named = {f"counterpoint.{key}": value for key, value in attributes.items()}
        span: AbstractContextManager[Any] = self._tracer.start_as_current_span(
            name,
            attributes=named,
            record_exception=False,  # its message may quote a comment
            set_status_on_exception=False,
        )
        return span

    @contextmanager
    def request(self, scope: Scope) -> Iterator[Any]:
        """Open the span of a request, inside that of its caller where it names one (W3C Trace Context)."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        caller = TraceContextTextMapPropagator().extract(dict(Headers(scope=scope)))
        with self._tracer.start_as_current_span(
            scope["method"],
            context=caller,
            kind=SpanKind.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    def close(self) -> None:
        """Send what is left. Blocking, for some seconds at most."""
        if self.on:
            self._provider.force_flush(_PATIENCE_MS)
            self._provider.shutdown()


class RequestTrace:
    """Middleware: a span for every request, whose trace the log names too."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._tracing.request(scope) as span:
            scope.setdefault("state", {})["trace_id"] = f"{span.get_span_context().trace_id:032x}"

            async def send_and_see(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._app(scope, receive, send_and_see)
            finally:
                route = getattr(scope.get("route"), "path_format", None)
                if route is not None:
                    span.set_attribute("http.route", route)
                    span.update_name(f"{scope['method']} {route}")


def _provider(settings: Settings) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise SettingsError(
            "COUNTERPOINT_TELEMETRY_ENDPOINT needs the extra telemetry: "
            f"pip install 'counterpoint[telemetry]' ({error.name} is missing)"
        ) from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": "counterpoint", "service.version": __version__}),
        sampler=ParentBased(TraceIdRatioBased(settings.telemetry_share)),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=settings.telemetry_endpoint)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
