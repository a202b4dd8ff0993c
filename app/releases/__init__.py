"""Which version is active, for every worker alike, and how one follows another."""

__all__: list[str] = []
