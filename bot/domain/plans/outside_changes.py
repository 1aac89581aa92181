"""Which changes made outside Terraform matter: those that a plan acts on.

`resource_drift` of Terraform's plan JSON lists everything that a refresh reads differently from the state, including what a
provider fills in after the apply (`tags = {}`, `attachment_count = 0 -> 1`). Terraform itself prints only those that
contributed to a planned change (`relevant_attributes`). This also keeps those that the plan changes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.domain.plans.settled import Settled, is_settled
from bot.domain.plans.value_paths import Names, changed, merged, names_of, overlap

Entry = Mapping[str, Any]
"""An entry of `resource_drift` or `resource_changes`."""


def split_outside(
    entries: Iterable[Entry], planned: Mapping[str, Any], settled: Settled | None = None
) -> tuple[list[Entry], list[Entry]]:
    """Split changes made outside Terraform into those that the plan acts on, and those that it does not.

    entries: `resource_drift`, of this plan or of a refresh-only plan made with it. A change of several attributes may be in
    both, each time with its own attributes only. The second list lacks what is in `settled`.
    """
    acts = _Acts(planned, settled)
    kept: list[Entry] = []
    ignored: list[Entry] = []
    for entry in entries:
        change, address = entry["change"], entry["address"]
        if change.get("after") is None:
            (kept if acts.on_object(address) else ignored).append(entry)
            continue
        differing = list(changed(change.get("before"), change["after"]))
        acted = {path for path, _, now in differing if acts.on_value(address, path, now)}
        rest = {
            path for path, _, now in differing if path not in acted and not acts.settled(address, path, now)
        }
        kept += _only(entry, acted)
        ignored += _only(entry, rest)
    return kept, ignored


class _Acts:
    """What a plan acts on."""

    def __init__(self, planned: Mapping[str, Any], settled: Settled | None) -> None:
        self._settled = settled
        changes = [one for one in planned.get("resource_changes") or () if _acts(one["change"]["actions"])]
        outputs = (planned.get("output_changes") or {}).values()
        self._changes = {one["address"]: one["change"] for one in changes}
        self._relevant: list[tuple[str, Names]] = []
        if changes or any(one.get("actions") != ["no-op"] for one in outputs):
            self._relevant = [
                (one["resource"], names_of(one.get("attribute") or ()))
                for one in planned.get("relevant_attributes") or ()
                if one.get("resource")
            ]

    def settled(self, address: str, path: Names, now: Any) -> bool:
        return self._settled is not None and is_settled(self._settled, address, path, now)

    def on_object(self, address: str) -> bool:
        """Whether the plan acts on an object that is gone: it makes it again, or changes what refers to it."""
        return address in self._changes or any(_is_of(address, one) for one, _ in self._relevant)

    def on_value(self, address: str, path: Names, now: Any) -> bool:
        """Whether the plan changes this value to a known one, or another change follows from it.

        The latter may be the work of a provider as well as of a person: it only counts if it is known what was settled.
        """
        change = self._changes.get(address)
        if change is not None and change.get("after") is not None:
            after, unknown = change["after"], change.get("after_unknown")
            back = any(overlap(path, one) for one, *_ in changed(change.get("before"), after, unknown))
            if back and ("delete" not in change["actions"] or not self.settled(address, path, now)):
                return True
        if self._settled is None or self.settled(address, path, now):
            return False
        return any(_is_of(address, one) and overlap(path, names) for one, names in self._relevant)


def _acts(actions: Sequence[str]) -> bool:
    return list(actions) not in (["no-op"], ["read"])


def _is_of(address: str, resource: str) -> bool:
    """Whether an instance belongs to a resource, which may be named without its key."""
    return address == resource or address.startswith(f"{resource}[")


def _only(entry: Entry, paths: set[Names]) -> list[Entry]:
    """Return the entry with no changes but those of `paths`, in a list; an empty list if there are none."""
    if not paths:
        return []
    change = entry["change"]
    after = merged(change["before"], change["after"], paths)
    return [{**entry, "change": {**change, "after": after}}]
