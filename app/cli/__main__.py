"""`python -m app.cli`: the same as `counterpoint`."""

from app.cli import main

__all__: list[str] = []

main()
