"""Traces reach a collector, in the caller's trace, and tell nothing of what was said."""

import json
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.errors import SettingsError
from app.service import Service
from tests.support.background import in_background

SECRET = "Rosebud"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector(ThreadingHTTPServer):
    """Takes traces by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []

    @property
    def spans(self) -> list[Any]:
        exports = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for export in exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    with in_background(server):
        yield server


def test_a_request_is_traced_in_its_callers_trace(
    serve: Callable[..., Any], collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"comment": {"text": f"{SECRET}, you idiot."}, "article": {"id": SECRET}, "store": "text"}
    with serve(telemetry_endpoint=f"http://127.0.0.1:{collector.server_port}/v1/traces") as running:
        httpx.post(
            f"{running.url}/v1/score?key={SECRET}",
            json=body,
            headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
            trust_env=False,
        ).raise_for_status()
    ours = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    [request] = [span for span in ours if span.name == "POST /v1/score"]
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    attributes = {one.key: one.value for one in request.attributes}
    assert attributes["http.route"].string_value == "/v1/score"
    assert attributes["http.response.status_code"].int_value == 200
    inside = [span.name for span in ours if span.parent_span_id == request.span_id]
    assert inside.count("score") == 1
    assert "store" in inside
    assert SECRET.encode() not in b"".join(collector.bodies)
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert [line["trace_id"] for line in logged if line["message"] == "request"] == [TRACE]


def test_without_the_extra_the_start_says_what_is_missing(
    make_settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"counterpoint\[telemetry\]"):
        Service(make_settings(telemetry_endpoint="http://127.0.0.1:4318/v1/traces"))
