"""Partial answers: the `fields` parameter of Google's APIs.

`a/b`, `a.b` and `a(b,c)` go into a field, a comma adds another one, `*` stands for every field; lists
are gone through. A field that does not exist selects nothing.
"""

import re
from typing import TypeAlias

__all__ = ["Mask", "read_mask", "select"]

Mask: TypeAlias = dict[str, "Mask | None"]
"""Field → what is wanted of it, None being all of it."""

_MOST_CHARACTERS = 2_000
_DEEPEST = 16
# What follows an @ is the version of an attribute, dots included.
_TOKEN = re.compile(r"[,/().]|[^,/().@\s]+(?:@[^,/()\s]*)?")
_NOTHING = object()


def read_mask(text: str) -> Mask:
    """Read the value of `fields`.

    Raises:
        ValueError: it is malformed, over 2,000 characters long or over 16 levels deep.
    """
    tokens = _TOKEN.findall(text)
    if len(text) > _MOST_CHARACTERS or "".join(tokens) != text:
        raise ValueError("not a field mask")
    mask: Mask = {}
    end = _read_list([*tokens, ""], 0, mask, 0)
    if end != len(tokens):
        raise ValueError("a bracket too many")
    return mask


def select(value: object, mask: Mask) -> object:
    """Return the parts of a JSON value that a mask wants; the value itself stays as it is."""
    found = _select(value, mask)
    return {} if found is _NOTHING else found


def _read_list(tokens: list[str], at: int, mask: Mask, depth: int) -> int:
    while True:
        at = _read_path(tokens, at, mask, depth)
        if tokens[at] != ",":
            return at
        at += 1


def _read_path(tokens: list[str], at: int, mask: Mask, depth: int) -> int:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    name, then = tokens[at], tokens[at + 1 : at + 2]
    if name in {"", ",", "/", "(", ")", "."}:
        raise ValueError("a name is missing")
    at += 1
    if then not in (["/"], ["."], ["("]):
        mask[name] = None
        return at
    inner = mask.setdefault(name, {})
    inner = {} if inner is None else inner  # all of it is wanted already
    if then != ["("]:
        return _read_path(tokens, at + 1, inner, depth + 1)
    at = _read_list(tokens, at + 1, inner, depth + 1)
    if tokens[at] != ")":
        raise ValueError("a bracket is missing")
    return at + 1


def _select(value: object, mask: Mask | None) -> object:
    if mask is None:
        return value
    if isinstance(value, list):
        return [part for item in value if (part := _select(item, mask)) is not _NOTHING]
    if not isinstance(value, dict):
        return _NOTHING
    wanted = {
        name: mask[name] if name in mask else mask["*"] for name in value if name in mask or "*" in mask
    }
    parts = {name: _select(value[name], inner) for name, inner in wanted.items()}
    return {name: part for name, part in parts.items() if part is not _NOTHING}
