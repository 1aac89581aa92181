"""The order of stacks, from `after` in the policy: pure functions of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

After = Mapping[str, Sequence[str]]
"""Stack → the stacks that it comes after."""


def upstream_of(after: After, name: str) -> frozenset[str]:
    """Return all stacks that come before `name`, directly or through others."""
    found: set[str] = set()
    left = list(after.get(name, ()))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += after.get(one, ())
    return frozenset(found)


def in_layers(after: After, names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return `names` in layers: those of one layer do not depend on each other, and come after those of the layers before.

    For destroys, go through the layers in reverse. Within a layer the given order is kept. Two stacks keep their order if
    the one between them is not among `names`. Raises ValueError if they depend on each other in a circle.
    """
    left = list(dict.fromkeys(names))
    before = {name: upstream_of(after, name) for name in left}
    found: list[tuple[str, ...]] = []
    while left:
        layer = tuple(name for name in left if before[name].isdisjoint(left))
        if not layer:
            raise ValueError(f"stacks depend on each other in a circle: {', '.join(left)}")
        found.append(layer)
        left = [name for name in left if name not in layer]
    return tuple(found)


def cycle_in(after: After) -> tuple[str, ...]:
    """Return a circle of stacks, each after the next, with the first one repeated at the end; () if there is none."""
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]  # each comes before the next
        return tuple(reversed(circle))
    return ()
