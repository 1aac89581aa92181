"""What a plan would do, in numbers and changes.

A summary may be stored and shown to everyone who can read the pull request: it contains no sensitive value and no known
secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.domain.plans.resource_change import AttributeChange, ResourceChange, is_change
from bot.domain.plans.summary_json import PlanSummaryJson

ATTRIBUTE_LINES = 30
"""Lines kept of one attribute in an abridged summary."""
TOTAL_LINES = 5_000
"""Lines of long values kept in an abridged summary: more than fit on any surface."""


@dataclass(frozen=True)
class PlanSummary:
    """A plan in numbers and changes.

    `add`, `change` and `destroy` count as Terraform does: a replacement is in `add` and in `destroy`, and also counted
    in `replace`. `changes` has destroys and replacements first; `drift` has what changed outside Terraform; `outputs`
    the root outputs that change, with their name as the path. pages: number of stored pages that have all of it, 0 if there
    are none.
    """

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    imports: int = 0
    move: int = 0
    forget: int = 0
    changes: tuple[ResourceChange, ...] = ()
    drift: tuple[ResourceChange, ...] = ()
    outputs: tuple[AttributeChange, ...] = ()
    terraform_version: str = ""
    pages: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to apply. Reading a data source during apply is not a change."""
        return not self.outputs and all(change.action == "read" for change in self.changes)

    @property
    def headline(self) -> str:
        """`1 to import, 2 to add, 0 to change, 1 to destroy`, in Terraform's order, or `no changes`."""
        if self.empty:
            return "no changes"
        extra = [(self.imports, "import"), (self.move, "move"), (self.forget, "forget")]
        parts = [f"{count} to {verb}" for count, verb in extra if count]
        parts += [f"{self.add} to add", f"{self.change} to change", f"{self.destroy} to destroy"]
        return ", ".join(parts)

    def abridged(self, pages: int = 0) -> PlanSummary:
        """Return what surfaces have room for: of long values the lines that change, up to a limit, and how many more there
        are. pages: the number of pages with all of it."""
        room = _Room(TOTAL_LINES)
        return replace(
            self,
            changes=tuple(room.resource(change) for change in self.changes),
            outputs=tuple(room.attribute(output) for output in self.outputs),
            drift=tuple(room.resource(change) for change in self.drift),
            pages=pages,
        )

    def to_dict(self) -> PlanSummaryJson:
        """Return plain JSON for `from_dict`."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        lists = {name: [one.to_dict() for one in facts[name]] for name in ("changes", "drift", "outputs")}
        return cast("PlanSummaryJson", facts | lists)

    @classmethod
    def from_dict(cls, content: PlanSummaryJson | Mapping[str, Any]) -> PlanSummary:
        """Read the result of `to_dict`. Unknown keys are ignored, so that old and new code can run side by side."""
        known = {key: value for key, value in content.items() if key in cls.__dataclass_fields__}
        known["changes"] = tuple(ResourceChange.from_dict(one) for one in content.get("changes", ()))
        known["drift"] = tuple(ResourceChange.from_dict(one) for one in content.get("drift", ()))
        known["outputs"] = tuple(AttributeChange.from_dict(one) for one in content.get("outputs", ()))
        return cls(**cast("dict[str, Any]", known))


class _Room:
    """What is left of the lines that a summary may have."""

    def __init__(self, lines: int) -> None:
        self._left = lines

    def resource(self, change: ResourceChange) -> ResourceChange:
        return replace(change, attributes=tuple(map(self.attribute, change.attributes)))

    def attribute(self, change: AttributeChange) -> AttributeChange:
        most = max(1, min(ATTRIBUTE_LINES, self._left))
        lines = change.detail
        if len(lines) > most:
            lines = tuple(filter(is_change, lines))
        self._left -= len(lines[:most])
        omitted = change.omitted + sum(map(is_change, lines[most:]))
        return replace(change, detail=lines[:most], omitted=omitted)
