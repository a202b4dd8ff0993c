"""Stance adapted to one article from what people said of its comments' stances."""

__all__: list[str] = []
