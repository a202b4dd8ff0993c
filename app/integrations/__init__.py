"""Comment systems that call here with signed requests: Coral and Discourse."""

__all__: list[str] = []
