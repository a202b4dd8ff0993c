"""How uvicorn serves: HTTP with bounds, and nothing that the service has no use for."""

from typing import Any

import uvicorn

from app.settings import Settings

__all__ = ["server_config"]

_HTTP = "app.limits.connections:BoundedHttp"


def server_config(app: Any, settings: Settings, **more: Any) -> uvicorn.Config:
    """Return how uvicorn is to serve.

    Args:
        app: the application, or the name of what makes it.
        settings: where to listen.
        more: arguments of `uvicorn.Config`, which win.
    """
    chosen: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "http": _HTTP,
        "ws": "none",
        "proxy_headers": False,  # COUNTERPOINT_TRUSTED_PROXIES says whom to believe
        "server_header": False,
        "log_config": None,
        "access_log": False,
        "timeout_graceful_shutdown": settings.shutdown_grace_s,
    }
    return uvicorn.Config(app, **(chosen | more))
