"""What a plan would do, as text that is equal for two plans if and only if they would do the same.

The format is Terraform's "JSON output format" 1.x. The text contains secrets: only keyed digests of it leave the process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def planned_changes(plan: Mapping[str, Any]) -> dict[str, str]:
    """Return address → change, of `show -json`: the actions, the attributes that change with their values before and
    after, what is imported, moved, replaced and known only later; likewise outputs and action invocations.

    What does not change is left out, so that a computed attribute that differs each time it is read does not count.
    Raises ValueError for two changes of one address.
    """
    found: dict[str, str] = {}
    for address, content in _entries(plan):
        if address in found:
            raise ValueError(f"the plan has two changes of {address}")
        found[address] = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return found


def _entries(plan: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for entry in plan.get("resource_changes") or ():
        change = entry["change"]
        actions = list(change.get("actions") or ())
        if actions == ["no-op"] and not change.get("importing") and not entry.get("previous_address"):
            continue
        deposed = f" (deposed {entry['deposed']})" if entry.get("deposed") else ""
        yield (
            entry["address"] + deposed,
            {
                "actions": actions,
                "attributes": {} if actions in (["delete"], ["read"]) else _attributes(change),
                "importing": change.get("importing"),
                "moved": entry.get("previous_address"),
                "replaces": change.get("replace_paths"),
            },
        )
    for name, change in (plan.get("output_changes") or {}).items():
        if change.get("actions") != ["no-op"]:
            yield f"output.{name}", {"actions": change.get("actions"), "value": _side(change, "after")}
    for number, entry in enumerate(plan.get("action_invocations") or ()):
        yield f"{entry.get('address', '')} (invocation {number + 1})", entry


def _attributes(change: Mapping[str, Any]) -> dict[str, object]:
    """The attributes that change: their values before and after. For a value that is not an object, the value itself."""
    before, after, unknown = (change.get(side) for side in ("before", "after", "after_unknown"))
    if not isinstance(after, dict) or not (before is None or isinstance(before, dict)):
        return {"": [before, _side(change, "after")]}
    old, later = before or {}, unknown if isinstance(unknown, dict) else {}
    return {
        name: [old.get(name), after.get(name), later.get(name)]
        for name in {*old, *after, *later}
        if old.get(name) != after.get(name) or later.get(name)
    }


def _side(change: Mapping[str, Any], side: str) -> list[object]:
    return [change.get(side), change.get(f"{side}_unknown")]
