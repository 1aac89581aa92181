"""What of a finding of drift is news, and what only looks like it, since some values are never the same twice.

- What is pending counts by what would change, not by its values: they come from one commit, so what differs from plan to
  plan in them is a clock, a data source, or not known until apply.
- What was changed outside counts with its values; but not those on which the two plans of one look, which both refresh,
  do not agree (`restless`).
- A value that changes from look to look is told when it does so for the first time, and no more while the rest of
  the finding stays (`wavering`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain.plan import ResourceChange

Summary = Mapping[str, Any]
"""As bot.domain.drift.Drift keeps it."""


def restless(first: Iterable[ResourceChange], second: Iterable[ResourceChange]) -> dict[str, list[str]]:
    """What a summary keeps of values that changed between two refreshes of one look."""
    one, other = (
        {f"{change.address} {item.path}": item.after for change in changes for item in change.attributes}
        for changes in (first, second)
    )
    return {"restless": sorted(key for key in one.keys() & other.keys() if one[key] != other[key])}


def fingerprint(found: Summary) -> str:
    """The same for findings that say the same."""
    steady = {key: value for key, value in _values(found).items() if key not in found["restless"]}
    return hashlib.sha256(json.dumps([_shape(found), steady], sort_keys=True).encode()).hexdigest()


def old(found: Summary, before: Summary) -> bool:
    """Whether it differs from the finding before in nothing but values that are known to waver."""
    return _shape(found) == _shape(before) and _changed(found, before) <= set(before.get("wavering", ()))


def learned(found: Summary, before: Summary) -> dict[str, Any]:
    """`found` with the values that waver: those that changed since `before`, and those of which that was known."""
    if _shape(found) != _shape(before):
        return dict(found)
    return {**found, "wavering": sorted({*before.get("wavering", ()), *_changed(found, before)})}


def _changed(found: Summary, before: Summary) -> set[str]:
    now, then = _values(found), _values(before)
    unknown = {*found.get("restless", ()), *before.get("restless", ())}
    return {key for key in now.keys() & then.keys() if now[key] != then[key]} - unknown


def _values(found: Summary) -> dict[str, str]:
    """What was changed outside: `address path` → the value there now, masked."""
    return {
        f"{change['address']} {item['path']}": item["after"]
        for change in found.get("drift", ())
        for item in change["attributes"]
    }


def _shape(found: Summary) -> list[Any]:
    """What was changed outside and what is pending, without values."""
    outside = found.get("drift", ())
    pending = [change for change in found.get("changes", ()) if change["action"] != "read"]
    resources = [
        [change["address"], change["action"], sorted(item["path"] for item in change["attributes"])]
        for change in (*outside, *pending)
    ]
    return [len(outside), resources, sorted(output["path"] for output in found.get("outputs", ()))]
