"""How readers say outright that they agree or disagree: sentences written for this project."""

import tomllib
from pathlib import Path

__all__ = ["FILE", "load_openers"]

FILE = Path(__file__).with_name("openers.toml")


def load_openers(part: str) -> dict[str, list[str]]:
    """Return sentences by stance (agree, disagree, neutral).

    Args:
        part: "train" for the pair encoder, "head" for what reads it, or "check" for those that
            training and tuning never see.

    Raises:
        KeyError: another part.
    """
    found: dict[str, dict[str, list[str]]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return found[part]
