"""Values that are compared: JSON, and what stands for a value that must not be shown or is not known."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.domain.plans.terraform_json import read_json_exactly

Steps = tuple[str | int, ...]
Tree = Any
"""A JSON value that may contain Hidden, Unknown, Digits and Null."""
DEEPEST = 50
"""Levels of JSON within a string that are compared as JSON; a deeper one is compared as text."""


@dataclass(frozen=True)
class Hidden:
    """A sensitive value. raw: to see whether it changes; it is never written."""

    raw: str = field(repr=False)


@dataclass(frozen=True, eq=False)
class Unknown:
    """A value known only after apply. It equals nothing, itself on the other side included."""


@dataclass(frozen=True)
class Digits:
    """A number as it is written in JSON, where `1` and `1.0` differ."""

    text: str


@dataclass(frozen=True)
class Null:
    """A `null` that is a value: in a list, in JSON, or under a key that the other side lacks. None is no value."""


def identity(value: Tree) -> Hashable:
    """Return a key that is equal for equal values. Unlike Python's `==`, it distinguishes `true`, `1` and `1.0`."""
    if isinstance(value, dict):
        return (dict, tuple((key, identity(value[key])) for key in sorted(value)))
    if isinstance(value, list):
        return (list, tuple(map(identity, value)))
    return (type(value), value) if not isinstance(value, Unknown) else value


def with_null(value: Tree) -> Tree:
    return Null() if value is None else value


def json_within(text: Tree) -> Tree | None:
    """Return the object or list that a string contains as JSON; None for anything else.

    JSON with a key twice is not read: only one of the two values could be shown.
    """
    if not isinstance(text, str) or not re.match(r"\s*[\[{]", text):
        return None
    try:
        found = read_json_exactly(text, Digits)
    except ValueError:
        return None
    return _nulls(found) if isinstance(found, dict | list) and found and _shallow(found, DEEPEST) else None


def _nulls(value: Tree) -> Tree:
    if isinstance(value, dict):
        return {key: _nulls(item) for key, item in value.items()}
    return list(map(_nulls, value)) if isinstance(value, list) else with_null(value)


def _shallow(value: Tree, levels: int) -> bool:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_shallow(item, levels - 1) for item in below)


def texts(value: Tree) -> Iterator[str]:
    """Yield all strings in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from texts(item)
