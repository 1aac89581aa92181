"""Whether a revert restored the state that its release had left."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.plans import (
    SENSITIVE,
    UNKNOWN,
    AttributeChange,
    Differ,
    Pair,
    PlanSummary,
    ResourceChange,
    spell_path,
)
from bot.domain.states import Object, objects, outputs_of, spell_address


@dataclass(frozen=True)
class Difference:
    """One difference from the release.

    kind: `missing` (no longer there), `extra` (was not there), `changed`, or `output`. attributes: what differs, with
    `before` as the release left it and `after` as it is now, as masked HCL.
    """

    kind: Literal["missing", "extra", "changed", "output"]
    address: str
    attributes: tuple[AttributeChange, ...] = ()


@dataclass(frozen=True)
class Proof:
    """The result of comparing a state with a release.

    unchanged: number of objects that are as they were; recreated: addresses of objects with a new identity, which match
    in everything configured unless they are listed in `differences`.
    """

    unchanged: int = 0
    recreated: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def matches(self) -> bool:
        """Whether everything is as the release left it, apart from new identities."""
        return not self.differences


def compare_with_release(then: bytes, now: bytes, summary: PlanSummary) -> Proof:
    """Compare the state that a release left with the state after the revert to it by the plan `summary`.

    Values that must differ are ignored: for an object with a new identity everything that was known only after apply,
    and sensitive values (Terraform itself holds a provider to the values it planned); for others what was known only
    after apply. Raises UserError for a state that OpenTofu has encrypted.
    """
    was, present = objects(then), objects(now)
    planned = {change.address: change for change in summary.changes}
    found: list[Difference] = []
    recreated: list[str] = []
    for address in sorted({*was, *present}, key=spell_address):
        name = spell_address(address)
        if address not in was or address not in present:
            found.append(Difference("missing" if address in was else "extra", name))
            continue
        change = planned.get(name)
        is_new = was[address].identity != present[address].identity
        is_new = is_new or (change is not None and change.action in ("create", "replace"))
        if is_new:
            recreated.append(name)
        if changed := tuple(_changed(was[address], present[address], _ignored(change, is_new=is_new))):
            found.append(Difference("changed", name, changed))
    unchanged = len([address for address in was if address in present]) - len(
        {*recreated, *(one.address for one in found if one.kind == "changed")}
    )
    found += _outputs(then, now, summary, is_new=bool(recreated))
    return Proof(unchanged, tuple(recreated), tuple(found))


def _ignored(change: ResourceChange | None, *, is_new: bool) -> Collection[str]:
    """Return the paths whose values the plan left to the provider."""
    known = change.attributes if change is not None else ()
    masks = (UNKNOWN, SENSITIVE) if is_new else (UNKNOWN,)
    ignored = {one.path for one in known if any(mask in one.after for mask in masks)}
    return ignored | {"id"} if is_new else ignored


def _changed(was: Object, present: Object, ignored: Collection[str]) -> Iterator[AttributeChange]:
    pair = Pair(was.attributes, present.attributes, None, (_marks(was), _marks(present)))
    for path, change in Differ().attributes(pair):
        prefixes = {spell_path(path[:length]) for length in range(1, len(path) + 1)}
        if not prefixes & set(ignored):
            yield change


def _marks(one: Object) -> dict[str | int, Any]:
    """Return the sensitive paths nested as in Terraform's plans, with True at the end of each."""
    marks: dict[str | int, Any] = {}
    for path in one.secret:
        at = marks
        for step in path[:-1]:
            inner = at.setdefault(step, {})
            at = inner if isinstance(inner, dict) else {}
        if path:
            at[path[-1]] = True
    return marks


def _outputs(then: bytes, now: bytes, summary: PlanSummary, *, is_new: bool) -> Iterator[Difference]:
    was, present = (outputs_of(state) or {} for state in (then, now))
    masks = (UNKNOWN, SENSITIVE) if is_new else (UNKNOWN,)
    ignored = {one.path for one in summary.outputs if any(mask in one.after for mask in masks)}
    for name in sorted({*was, *present} - ignored):
        sides = was.get(name), present.get(name)
        hidden = tuple(side is not None and side.sensitive for side in sides)
        before, after = (None if side is None else side.value for side in sides)
        pair = Pair(before, after, None, (hidden[0], hidden[1]))
        if pair.before != pair.after:
            yield Difference("output", name, (Differ().value(name, pair),))
