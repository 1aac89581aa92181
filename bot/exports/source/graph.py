"""Which foreign keys a closure follows, and in which order: strongly connected components, sources first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from bot.domain.exports import ForeignKey, TableName


@dataclass(frozen=True)
class Step:
    """One way from included rows to more rows. from_roots: follows only rows that a root chose, not those that came in
    as somebody's parents. most: children per parent, 0 for all."""

    kind: Literal["parents", "children"]
    key: ForeignKey
    from_roots: bool = False
    most: int = 0

    @property
    def source(self) -> TableName:
        return self.key.child if self.kind == "parents" else self.key.parent

    @property
    def target(self) -> TableName:
        return self.key.parent if self.kind == "parents" else self.key.child

    @property
    def node(self) -> Node:
        return self.source, self.from_roots

    @property
    def why(self) -> str:
        return "parents" if self.kind == "parents" else f"children of {self.key.parent}"


T = TypeVar("T")
Node = tuple[TableName, bool]
"""A table and whether only its roots' rows are meant. Those are complete from the start, so they are in no cycle."""


def reachable(steps: Sequence[Step], start: Iterable[TableName]) -> list[Step]:
    """Those steps that can have rows to follow, if these tables have rows."""
    out: dict[TableName, set[TableName]] = {}
    for step in steps:
        out.setdefault(step.source, set()).add(step.target)
    reached = set(_after(out, start))
    return [step for step in steps if step.source in reached]


def components(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps grouped by the strongly connected component of their source, sources first (Kosaraju's algorithm).

    Nothing leads back to an earlier group, so a group is followed to its fixpoint once.
    """
    out: dict[Node, set[Node]] = {}
    back: dict[Node, set[Node]] = {}
    for step in steps:
        target = (step.target, False)
        out.setdefault(step.node, set()).add(target)
        back.setdefault(target, set()).add(step.node)
    groups: list[list[Step]] = []
    done: set[Node] = set()
    for node in reversed(_after(out, out)):
        group = set(_after(back, [node], done))
        done |= group
        groups.append([step for step in steps if step.node in group])
    return [group for group in groups if group]


def _after(out: dict[T, set[T]], start: Iterable[T], without: Iterable[T] = ()) -> list[T]:
    """All that these lead to, themselves included, each after all that it leads to first (depth-first, postorder)."""
    seen = set(without)
    ordered: list[T] = []
    for first in start:
        work = [] if first in seen else [(first, iter(out.get(first, ())))]
        seen.add(first)
        while work:
            node, following = work[-1]
            new = next((one for one in following if one not in seen), None)
            if new is None:
                ordered.append(node)
                work.pop()
            else:
                seen.add(new)
                work.append((new, iter(out.get(new, ()))))
    return ordered
