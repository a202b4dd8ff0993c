"""The settings of retraining: `retraining.toml` has every value, its default and its meaning."""

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from training.errors import RetrainingSettingsError

__all__ = ["DEFAULTS", "FeedbackSettings", "GateSettings", "GuardSettings", "RetrainingSettings"]

DEFAULTS = Path(__file__).with_name("retraining.toml")
_Section = TypeVar("_Section")


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """What feedback counts."""

    moderator_weight: float
    reader_weight: float
    shrinkage: float
    stance_share: float


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """What a source may do."""

    most_a_source: float
    most_of_readers: float
    most_an_hour: int
    contradicts_more: float
    fewest_shared: int
    outliers: int
    believed_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What a challenger must not lose, and must win."""

    chance_of_refusal: float
    auc_drop: float
    auc_bound: float
    ece_rise: float
    ece_bound: float
    fewest_of_a_class: int
    bpsn_drop: float
    bpsn_bound: float
    check_drop: float
    check_bound: float
    checks_drop: float
    checks_bound: float
    stance_drop: float
    stance_bound: float
    stance_ece_rise: float
    stance_ece_bound: float
    fewest_held_out: int
    least_gain: float
    least_confidence: float


_SHARES = {
    "stance_share",
    "most_a_source",
    "most_of_readers",
    "contradicts_more",
    "least_confidence",
    "chance_of_refusal",
}
_ABOVE_ZERO = {"moderator_weight", "reader_weight", "shrinkage", "most_a_source", "most_an_hour"}


@dataclass(frozen=True, slots=True)
class RetrainingSettings:
    """All of them."""

    feedback: FeedbackSettings
    guards: GuardSettings
    gates: GateSettings

    @classmethod
    def read(cls, path: Path | None = None) -> "RetrainingSettings":
        """Return the defaults, with the values of `path` in their place.

        Raises:
            RetrainingSettingsError: the file cannot be read, or names or misuses a value.
        """
        found = _toml(DEFAULTS)
        changed = {} if path is None else _toml(path)
        unknown = set(changed) - set(found)
        if unknown:
            raise RetrainingSettingsError(f"{path}: unknown section [{min(unknown)}]")
        for name, values in changed.items():
            if not isinstance(values, dict):
                raise RetrainingSettingsError(f"{path}: {name} must be a section")
            found[name] |= values
        sections = {"feedback": FeedbackSettings, "guards": GuardSettings, "gates": GateSettings}
        return cls(**{name: _section(kind, name, found[name], path) for name, kind in sections.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return them as plain values."""
        return asdict(self)


def _section(kind: type[_Section], section: str, values: dict[str, Any], path: Path | None) -> _Section:
    kinds = {one.name: one.type for one in fields(kind)}  # type: ignore[arg-type]
    unknown = set(values) - set(kinds)
    if unknown:
        raise RetrainingSettingsError(f"{path}: unknown value {section}.{min(unknown)}")
    checked = {name: _checked(f"{section}.{name}", values[name], kinds[name], path) for name in kinds}
    return kind(**checked)


def _checked(name: str, value: Any, kind: Any, path: Path | None) -> Any:
    if kind not in (int, float):
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise RetrainingSettingsError(f"{path}: {name} must be a list of text")
        return tuple(value)
    short = name.split(".")[1]
    if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
        raise RetrainingSettingsError(f"{path}: {name} must be a {'whole ' if kind is int else ''}number")
    if value < 0 or (short in _ABOVE_ZERO and value == 0) or (short in _SHARES and value > 1):
        limit = "above 0" if short in _ABOVE_ZERO else "0 or more"
        limit += ", and at most 1" if short in _SHARES else ""
        raise RetrainingSettingsError(f"{path}: {name} must be {limit}, got {value}")
    return value if kind is int else float(value)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RetrainingSettingsError(f"{path} cannot be read: {error}") from error
