"""One module for each part of the HTTP surface."""

__all__: list[str] = []
