"""JSON log lines, and the one that each request leaves. None ever holds comment text."""

import json
import logging
import re
import sys
import time
import traceback
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.keys import hide_keys
from app.ops.problems import INTERNAL_PROBLEM, problem_response

__all__ = ["JsonFormatter", "RequestLog", "configure_logging", "log_failure"]

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_OTHERS = ("uvicorn", "opentelemetry")
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_access = logging.getLogger("counterpoint.access")
_failures = logging.getLogger("counterpoint.failures")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, pid, message, request_id, and the record's `fields`.

    Of a key only its id is told. Tracebacks are left out: they end with an error's message, which may quote
    a comment.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        request_id = _request_id.get()
        if request_id is not None:
            line["request_id"] = request_id
        return hide_keys(json.dumps(line | getattr(record, "fields", {})))


def configure_logging(level: str) -> None:
    """Send the log of the service, its server and its tracing to standard error, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("counterpoint", *_OTHERS):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
    # uvicorn's own access line says the same again, with the query string, where keys travel.
    logging.getLogger("uvicorn.access").disabled = True


def log_failure(error: BaseException, request_id: str | None) -> None:
    """Log an unexpected error: its type and place, but not its message, which may quote a comment."""
    frames = traceback.extract_tb(error.__traceback__)
    fields = {
        "request_id": request_id,
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-20:]],
    }
    _failures.error("unexpected error", extra={"fields": fields})


class RequestLog:
    """Middleware: gives each request an id, logs it, and answers errors that nobody else has answered.

    A caller's X-Request-ID is kept where it has at most 128 letters, digits, dots, dashes and
    underscores; otherwise a new one is made. Every answer carries it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        _request_id.set(request_id)
        began, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            log_failure(error, request_id)
            if status:
                raise RuntimeError("an answer was cut short; see the log of failures") from None
            await problem_response(INTERNAL_PROBLEM, scope)(scope, receive, send_with_id)
        finally:
            fields = {
                "request_id": request_id,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "duration_ms": round((time.perf_counter() - began) * 1_000, 2),
            }
            if "trace_id" in scope["state"]:
                fields["trace_id"] = scope["state"]["trace_id"]
            _access.info("request", extra={"fields": fields})
