"""What the service remembers."""

__all__: list[str] = []
