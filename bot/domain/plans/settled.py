"""Settled values: what differs from the state and is known to be no drift, since a refresh after the apply read it so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bot.domain.plans.value_paths import Names, changed, marked

Settled = Mapping[str, str]
"""Address and path of a value → its digest. Outputs have an empty address."""


def settled_values(refreshed: Mapping[str, Any]) -> dict[str, str]:
    """Return what a refresh-only plan (`show -json`) reads differently from the state, outputs included.

    Sensitive values are left out: even a digest of a short one gives it away.
    """
    settled = {}
    for entry in refreshed.get("resource_drift") or ():
        change = entry["change"]
        marks = change.get("after_sensitive"), change.get("before_sensitive")
        for path, _, now in changed(change.get("before"), change.get("after")):
            if not any(marked(mark, path) for mark in marks):
                settled[_key(entry["address"], path)] = _digest(now)
    for name, change in (refreshed.get("output_changes") or {}).items():
        if not change.get("after_sensitive") and not change.get("before_sensitive"):
            settled[_key("", (name,))] = _digest(change.get("after"))
    return settled


def without_settled_outputs(planned: Mapping[str, Any], settled: Settled) -> dict[str, Any]:
    """Return the plan without changes of outputs that only follow from settled values."""
    outputs = {
        name: change
        for name, change in (planned.get("output_changes") or {}).items()
        if not is_settled(settled, "", (name,), change.get("after"))
    }
    return {**planned, "output_changes": outputs}


def is_settled(settled: Settled, address: str, path: Names, now: Any) -> bool:
    """Whether this value is among the settled ones."""
    return settled.get(_key(address, path)) == _digest(now)


def _key(address: str, path: Names) -> str:
    return json.dumps([address, *path], ensure_ascii=False)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
