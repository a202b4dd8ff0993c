"""Foreign protocols, so that their clients need to change nothing but a URL."""

__all__: list[str] = []
