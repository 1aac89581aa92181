"""Compare values structurally: maps by key, lists by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.plans.alignment import align, gaps
from bot.domain.plans.values import Null, Steps, Tree, identity

_MOST_PAIRED = 2_500
"""Comparisons to find the objects of a list that belong together. In longer lists they are removed and added."""


@dataclass(frozen=True)
class Leaf:
    """A value that differs and is no map, nor a list that contains any. None on a side where it is missing."""

    path: Steps
    before: Tree
    after: Tree


@dataclass
class Walk:
    """One comparison. unchanged: the values that were found equal, counted."""

    unchanged: int = 0

    def leaves(self, path: Steps, before: Tree, after: Tree) -> Iterator[Leaf]:
        """Yield what differs below `path`. Indices are those of the second list, or of the first for a removed element."""
        if identity(before) == identity(after):
            self.unchanged += _count(after)
            return
        sides = [side for side in (before, after) if side is not None]
        if any(sides) and all(isinstance(side, dict) for side in sides):
            names = {key for side in sides for key in side}
            for name in sorted(names):
                one, other = (None if side is None else side.get(name) for side in (before, after))
                if len(sides) == 2 and one is other is None and (name in before) != (name in after):
                    one, other = (Null(), None) if name in before else (None, Null())
                yield from self.leaves((*path, name), one, other)
        elif all(isinstance(side, list) for side in sides) and any(map(_nested, sides)):
            for old, new in paired(before or [], after or []):
                yield from self.leaves(
                    (*path, new if new is not None else old or 0),
                    None if old is None else before[old],
                    None if new is None else after[new],
                )
        else:
            yield Leaf(path, before, after)


def _nested(items: Sequence[Tree]) -> bool:
    return any(isinstance(item, dict | list) and item for item in items)


def _count(value: Tree) -> int:
    if isinstance(value, dict | list) and value:
        return sum(map(_count, value.values() if isinstance(value, dict) else value))
    return 1


def paired(before: Sequence[Tree], after: Sequence[Tree]) -> Iterator[tuple[int | None, int | None]]:
    """Yield the indices of elements to compare with each other; None for the other side of an added or removed one.

    Equal elements belong together, then those at the same place between them, then similar objects.
    """
    matches = align([identity(item) for item in before], [identity(item) for item in after])
    for removed, added, match in gaps(matches, len(before), len(after)):
        if len(removed) == len(added):
            yield from zip(removed, added, strict=True)
        else:
            similar = _similar(before, after, removed, added)
            yield from ((old, similar.get(old)) for old in removed)
            yield from ((None, new) for new in added if new not in similar.values())
        if match is not None:
            yield match


def _similar(before: Sequence[Tree], after: Sequence[Tree], removed: range, added: range) -> dict[int, int]:
    """Return old index → new index of the objects that have at least half of their values in common."""
    if len(removed) * len(added) > _MOST_PAIRED:
        return {}
    found: dict[int, int] = {}
    for old in removed:
        scores = {new: _alike(before[old], after[new]) for new in added if new not in found.values()}
        best = max(scores, key=lambda new: scores[new], default=None)
        if best is not None and scores[best] >= 0.5:
            found[old] = best
    return found


def _alike(one: Tree, other: Tree) -> float:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return 0.0
    same = sum(key in other and identity(one[key]) == identity(other[key]) for key in one)
    return same / max(len(one), len(other), 1)
