"""From the settings to the limits of connections and bodies."""

from app.limits.bodies import BodyLimits
from app.limits.connections import ConnectionLimits
from app.settings import Settings

__all__ = ["body_limits", "connection_limits"]


def body_limits(settings: Settings) -> BodyLimits:
    """Return what the settings say of bodies."""
    return BodyLimits(
        max_bytes=settings.max_body_bytes,
        max_bytes_together=settings.max_held_bytes,
        grace_s=settings.body_grace_s,
        bytes_per_s=settings.body_bytes_per_s,
    )


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Return what the settings say of connections."""
    return ConnectionLimits(
        most=settings.max_connections,
        head_bytes=settings.max_header_bytes,
        head_s=settings.header_timeout_s,
    )
