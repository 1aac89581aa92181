"""Paths of values in Terraform's plan JSON, by attribute names, and which of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.plans.masking import any_mark

Names = tuple[str, ...]
"""The path of a value by attribute names. It ends at a list: the indices of a set mean nothing."""


def names_of(path: Sequence[str | int]) -> Names:
    """Return a path of Terraform's up to its first index."""
    names: list[str] = []
    for step in path:
        if not isinstance(step, str):
            break
        names.append(step)
    return tuple(names)


def overlap(one: Names, other: Names) -> bool:
    """Whether one path leads to the other, or to a part of it."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def changed(
    before: Any, after: Any, unknown: Any = None, path: Names = ()
) -> Iterator[tuple[Names, Any, Any]]:
    """Yield (path, before, after) of the values that differ, without those known only after apply.

    Nothing and empty are the same: providers return either for an attribute that is not set.
    """
    if unknown is True or before == after or (_empty(before) and _empty(after)):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        marks = unknown if isinstance(unknown, Mapping) else {}
        for key in sorted(before.keys() | after.keys()):
            yield from changed(before.get(key), after.get(key), marks.get(key), (*path, key))
    else:
        yield path, before, after


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def merged(before: Any, after: Any, paths: set[Names], path: Names = ()) -> Any:
    """Return `before` with the values at `paths` taken from `after`."""
    if path in paths or not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return after if path in paths else before
    return {
        key: merged(before.get(key), after.get(key), paths, (*path, key))
        for key in sorted(before.keys() | after.keys())
    }


def marked(mark: Any, path: Names) -> bool:
    """Whether a sensitivity mark covers the value at `path`, or a part of it."""
    for name in path:
        if isinstance(mark, Mapping):
            mark = mark.get(name)
    return any_mark(mark)
