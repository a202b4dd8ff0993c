"""The reference of the settings, written from the settings themselves."""

import json

from pydantic_core import to_jsonable_python

from app.settings import PREFIX, Settings, Thresholds

__all__ = ["settings_reference"]

_HEAD = """# Settings

Every setting is an environment variable. A wrong one stops the start with a message that names it.
This page is written by `app.reference.settings_reference`.

"""


def settings_reference() -> str:
    """Return docs/settings.md: each variable, its default and what it means."""
    return _HEAD + "\n".join(map(_section, Settings.model_fields)) + _thresholds()


def _section(name: str) -> str:
    field = Settings.model_fields[name]
    default = "see below" if name == "thresholds" else f"`{_default(name)}`"
    meaning = " ".join((field.description or "").split())
    return f"## {PREFIX}{name.upper()}\n\nDefault: {default}\n\n{meaning}\n"


def _default(name: str) -> str:
    if name == "releases":  # a path on this very machine would be of no use to anybody else
        return "models/releases"
    value = to_jsonable_python(Settings.model_fields[name].default)
    return "unset" if value is None else value if isinstance(value, str) else json.dumps(value)


def _thresholds() -> str:
    rows = [
        f"| {name.upper()} | {_cell(threshold.review)} | {_cell(threshold.reject)} |"
        for name, threshold in Thresholds()
    ]
    return "\n".join(
        [
            "",
            f"{' '.join((Thresholds.__doc__ or '').split())} A score that equals a threshold reaches it.",
            "",
            "| attribute | review from | reject from |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _cell(threshold: float | None) -> str:
    return "never" if threshold is None else f"{threshold:.2f}"
