"""What every request meets: logging, limits, problem documents."""

__all__: list[str] = []
