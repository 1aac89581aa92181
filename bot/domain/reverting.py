"""What going back means: each action classed by what it costs, and afterwards the proof that the world is as it was."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.addresses import Object, objects, spell
from bot.domain.outputs import outputs_of
from bot.domain.plan import SENSITIVE, UNKNOWN, AttributeChange, PlanSummary, ResourceChange
from bot.domain.plan_values import Pair, differences
from bot.domain.plan_values import spell as spell_path
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
"""The order in which they are shown: what cannot be had back comes first."""

_PLAIN: Mapping[str, Kind] = {
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
class Classed:
    """One action. `previous_address` where it is known by another name now, whatever else happens to it."""

    kind: Kind
    address: str
    previous_address: str = ""


@dataclass(frozen=True)
class Classes:
    """A revert's actions, in KINDS' order, then by address."""

    actions: tuple[Classed, ...] = ()

    def of(self, kind: Kind) -> tuple[Classed, ...]:
        return tuple(action for action in self.actions if action.kind == kind)

    def count(self, kind: Kind) -> int:
        return len(self.of(kind))

    @property
    def losses(self) -> int:
        """Objects that go, with all they hold: the number that a person types. What comes back empty was lost
        before and is not in it."""
        return self.count("destroy") + self.count("replace")

    @property
    def loses(self) -> bool:
        """Whether data is lost, now or before."""
        return bool(self.losses or self.count("recreate_empty"))


def classed(summary: PlanSummary, then: bytes, outside: Collection[str] = ()) -> Classes:
    """Class the actions of a plan that goes back.

    then: the state that the release to go back to had left: what is created and was there then comes back empty, its
    data and identity are gone. Where it cannot be read (b"", OpenTofu's encryption), each creation counts as such.
    outside: addresses that still exist, but outside the state (Additions.outside): creating them makes a second.
    """
    before = _known(then)
    actions = [_classed(change, before, outside) for change in summary.changes]
    return Classes(tuple(sorted(actions, key=lambda one: (KINDS.index(one.kind), one.address))))


def _classed(change: ResourceChange, before: Collection[str] | None, outside: Collection[str]) -> Classed:
    kind = _PLAIN[change.action]
    was_there = before is None or change.address in before
    if kind == "create" and was_there and change.address not in outside:
        kind = "recreate_empty"
    return Classed(kind, change.address, change.previous_address)


def _known(state: bytes) -> Collection[str] | None:
    """The addresses in a state; None where there is none to read."""
    try:
        return {spell(address) for address in objects(state)} if state else None
    except UserError:
        return None


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the release left it.

    kind: `missing` (it is not there), `extra` (it was not there), `changed`, or `output`. attributes: what differs,
    `before` as the release left it, `after` as it is now; masked, as HCL.
    """

    kind: Literal["missing", "extra", "changed", "output"]
    address: str
    attributes: tuple[AttributeChange, ...] = ()


@dataclass(frozen=True)
class Proof:
    """What a comparison found. same: objects that are as they were; recreated: addresses of those that have a new
    identity, alike in all that their configuration says unless they are among `differences`."""

    same: int = 0
    recreated: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the world is as the release left it, but for what had to come back with a new identity."""
        return not self.differences


def difference(then: bytes, now: bytes, summary: PlanSummary) -> Proof:
    """Compare the state that a release left with the state after going back to it by the plan `summary`.

    Not counted is what must differ: of an object with a new identity all that the plan knew only after apply, and
    what is sensitive (Terraform itself holds a provider to the values that it planned); of others what the plan knew
    only after apply. Raises UserError for a state that OpenTofu has encrypted.
    """
    was, present = objects(then), objects(now)
    planned = {change.address: change for change in summary.changes}
    found: list[Difference] = []
    recreated: list[str] = []
    for address in sorted({*was, *present}, key=spell):
        name = spell(address)
        if address not in was or address not in present:
            found.append(Difference("missing" if address in was else "extra", name))
            continue
        change = planned.get(name)
        anew = was[address].identity != present[address].identity
        anew = anew or (change is not None and change.action in ("create", "replace"))
        if anew:
            recreated.append(name)
        if changed := tuple(_changed(was[address], present[address], _ignored(change, anew=anew))):
            found.append(Difference("changed", name, changed))
    same = len([address for address in was if address in present]) - len(
        {*recreated, *(one.address for one in found if one.kind == "changed")}
    )
    found += _outputs(then, now, summary, anew=bool(recreated))
    return Proof(same, tuple(recreated), tuple(found))


def _ignored(change: ResourceChange | None, *, anew: bool) -> Collection[str]:
    """The paths that the plan left to the provider."""
    known = change.attributes if change is not None else ()
    words = (UNKNOWN, SENSITIVE) if anew else (UNKNOWN,)
    ignored = {one.path for one in known if any(word in one.after for word in words)}
    return ignored | {"id"} if anew else ignored


def _changed(was: Object, present: Object, ignored: Collection[str]) -> Iterator[AttributeChange]:
    pair = Pair(was.attributes, present.attributes, None, (_marks(was), _marks(present)))
    for path, each in differences((), pair):
        upwards = {spell_path(path[:length]) for length in range(1, len(path) + 1)}
        if not upwards & set(ignored):
            yield AttributeChange(spell_path(path), *each.shown)


def _marks(one: Object) -> dict[str | int, Any]:
    """The sensitive paths as Terraform's plans nest them: True at the end of each."""
    marks: dict[str | int, Any] = {}
    for path in one.secret:
        at = marks
        for step in path[:-1]:
            inner = at.setdefault(step, {})
            at = inner if isinstance(inner, dict) else {}
        if path:
            at[path[-1]] = True
    return marks


def _outputs(then: bytes, now: bytes, summary: PlanSummary, *, anew: bool) -> Iterator[Difference]:
    was, present = (outputs_of(state) or {} for state in (then, now))
    words = (UNKNOWN, SENSITIVE) if anew else (UNKNOWN,)
    ignored = {one.path for one in summary.outputs if any(word in one.after for word in words)}
    for name in sorted({*was, *present} - ignored):
        sides = was.get(name), present.get(name)
        hidden = tuple(side is not None and side.sensitive for side in sides)
        before, after = (None if side is None else side.value for side in sides)
        pair = Pair(before, after, None, (hidden[0], hidden[1]))
        if pair.before != pair.after:
            yield Difference("output", name, (AttributeChange(name, *pair.shown),))
