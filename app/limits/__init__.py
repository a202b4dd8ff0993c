"""What the service takes on at once: connections, bytes, requests a minute, comments that wait."""

__all__: list[str] = []
