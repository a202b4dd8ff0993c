"""Reading a JSON object as a protocol buffer's JSON form is read, which is how Google's services read.

A field may have its camelCase name or the snake_case one of the schema, null means unset, numbers may
be strings, and unknown fields are ignored.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.compat._perspective_errors import invalid_json, invalid_value

__all__ = ["ProtoObject", "read_object"]

_UPPER = re.compile("[A-Z]")


class ProtoObject:
    """One JSON object. Every method raises `GoogleError` where the field holds something else.

    Args:
        value: the object.
        path: its place in the request, empty for the request itself.
    """

    def __init__(self, value: Mapping[str, Any], path: str = "") -> None:
        self._value = value
        self._path = path

    def has(self, name: str) -> bool:
        """Tell whether a field is set."""
        return self._get(name) is not None

    def string(self, name: str) -> str | None:
        """Return a string, or None where it is unset."""
        value = self._get(name)
        if value is not None and not isinstance(value, str):
            raise invalid_value(self.place(name), "TYPE_STRING")
        return value

    def boolean(self, name: str) -> bool:
        """Return a boolean, False where it is unset."""
        value = self._get(name)
        if value in ("true", "false"):
            return bool(value == "true")
        if value is not None and not isinstance(value, bool):
            raise invalid_value(self.place(name), "TYPE_BOOL")
        return bool(value)

    def number(self, name: str, type_name: str = "TYPE_FLOAT") -> float | None:
        """Return a finite number, or None where it is unset."""
        value = self._get(name)
        if value is None:
            return None
        try:
            number = float(value) if isinstance(value, int | float | str) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number):
            raise invalid_value(self.place(name), type_name)
        return number

    def integer(self, name: str) -> int | None:
        """Return an integer of 32 bits, or None where it is unset."""
        number = self.number(name, "TYPE_INT32")
        if number is not None and (not number.is_integer() or abs(number) >= 2**31):
            raise invalid_value(self.place(name), "TYPE_INT32")
        return None if number is None else int(number)

    def enum(self, name: str, values: Sequence[str]) -> str | None:
        """Return the name of an enum's value, given by name or number, the first where it is unset.

        None where it is not one of `values`.
        """
        value = self._get(name)
        if value is None:
            return values[0]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(values):
            return values[value]
        return value if isinstance(value, str) and value in values else None

    def object(self, name: str) -> "ProtoObject":
        """Return a message, an empty one where it is unset."""
        value = self._get(name)
        return read_object({} if value is None else value, self.place(name))

    def strings(self, name: str) -> list[str]:
        """Return a list of strings, empty where it is unset."""
        values = self._list(name)
        for i, value in enumerate(values):
            if not isinstance(value, str):
                raise invalid_value(f"{self.place(name)}[{i}]", "TYPE_STRING")
        return values

    def objects(self, name: str) -> list["ProtoObject"]:
        """Return a list of messages, empty where it is unset."""
        place = self.place(name)
        return [read_object(value, f"{place}[{i}]") for i, value in enumerate(self._list(name))]

    def map(self, name: str) -> "dict[str, ProtoObject]":
        """Return a map to messages, empty where it is unset."""
        place = self.place(name)
        value = self._get(name)
        if value is not None and not isinstance(value, dict):
            raise invalid_value(place, "TYPE_MESSAGE")
        return {
            key: read_object({} if inner is None else inner, f"{place}[{i}].value")
            for i, (key, inner) in enumerate((value or {}).items())
        }

    def place(self, name: str) -> str:
        """Return where a field stands in the request, as Google's messages name it."""
        return f"{self._path}.{_snake(name)}" if self._path else _snake(name)

    def _get(self, name: str) -> Any:
        value = self._value.get(name)
        return self._value.get(_snake(name)) if value is None else value

    def _list(self, name: str) -> list[Any]:
        value = self._get(name)
        if value is not None and not isinstance(value, list):
            raise invalid_value(self.place(name), "TYPE_LIST")
        return value or []


def read_object(value: object, path: str = "") -> ProtoObject:
    """Return a JSON value as an object.

    Raises:
        GoogleError: it is none.
    """
    if isinstance(value, dict):
        return ProtoObject(value, path)
    raise invalid_value(path, "TYPE_MESSAGE") if path else invalid_json("Root element must be a message.")


def _snake(name: str) -> str:
    return _UPPER.sub(lambda letter: f"_{letter[0].lower()}", name)
