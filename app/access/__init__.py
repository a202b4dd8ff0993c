"""Who calls: API keys, their scopes, and the gate in front of the routes."""

__all__: list[str] = []
