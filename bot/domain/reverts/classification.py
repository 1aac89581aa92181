"""What each action of a revert costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, cast

from bot.domain.plans import Action, ClassifiedChangeJson, PlanSummary, ResourceChange
from bot.domain.states import objects, spell_address
from bot.errors import UserError

Kind = Literal[
    "destroy", "replace", "recreate_empty", "in_place", "create", "rename", "forget", "import", "read"
]

KINDS: tuple[Kind, ...] = (
    "destroy",
    "replace",
    "recreate_empty",
    "in_place",
    "create",
    "rename",
    "forget",
    "import",
    "read",
)
"""The order in which they are shown: permanent losses first."""

_KIND_OF: Mapping[Action, Kind] = {
    "delete": "destroy",
    "replace": "replace",
    "update": "in_place",
    "create": "create",
    "move": "rename",
    "forget": "forget",
    "import": "import",
    "read": "read",
}


@dataclass(frozen=True)
class ClassifiedChange:
    """One action of a revert. `previous_address` is set if the resource is also renamed."""

    kind: Kind
    address: str
    previous_address: str = ""

    def to_dict(self) -> ClassifiedChangeJson:
        return cast("ClassifiedChangeJson", asdict(self))


@dataclass(frozen=True)
class Classification:
    """The actions of a revert, in the order of KINDS, then by address."""

    actions: tuple[ClassifiedChange, ...] = ()

    def of(self, kind: Kind) -> tuple[ClassifiedChange, ...]:
        return tuple(action for action in self.actions if action.kind == kind)

    def count(self, kind: Kind) -> int:
        return len(self.of(kind))

    @property
    def losses(self) -> int:
        """Number of resources whose data is lost, which a person confirms by typing it. A resource recreated empty had
        lost its data before and does not count."""
        return self.count("destroy") + self.count("replace")

    @property
    def loses(self) -> bool:
        """Whether data is lost, now or before."""
        return bool(self.losses or self.count("recreate_empty"))


def classify(summary: PlanSummary, then: bytes, outside: Collection[str] = ()) -> Classification:
    """Classify the actions of a revert's plan.

    then: the state that the release to revert to had left. A resource that is created and was in that state is recreated
    empty: its data and identity are gone. If the state cannot be read (b"", or encrypted by OpenTofu), every creation
    counts as such. outside: addresses that still exist outside the state (Additions.outside): creating them makes a
    second one.
    """
    before = _addresses(then)
    actions = [_classified(change, before, outside) for change in summary.changes]
    return Classification(tuple(sorted(actions, key=lambda one: (KINDS.index(one.kind), one.address))))


def _classified(
    change: ResourceChange, before: Collection[str] | None, outside: Collection[str]
) -> ClassifiedChange:
    kind = _KIND_OF[change.action]
    existed = before is None or change.address in before
    if kind == "create" and existed and change.address not in outside:
        kind = "recreate_empty"
    return ClassifiedChange(kind, change.address, change.previous_address)


def _addresses(state: bytes) -> Collection[str] | None:
    """Return the addresses in a state, or None if it cannot be read."""
    try:
        return {spell_address(address) for address in objects(state)} if state else None
    except UserError:
        return None
