"""How figures are rounded in every answer."""

__all__ = ["rounded"]

_DECIMALS = 4


def rounded(value: float) -> float:
    """Return `value` as it is sent."""
    return round(float(value), _DECIMALS)
