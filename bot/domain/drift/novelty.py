"""Whether a drift report is new.

Some values differ every time they are read, so two reports that differ in such values alone say the same:

- Pending changes are compared without their values. They come from one commit, so values that differ from plan to plan
  come from a clock, a data source, or are known only after apply.
- Changes made outside Terraform are compared with their values, except where the two plans of one check, which both
  refresh, disagree (`restless`).
- A value that differs from check to check is reported the first time, and ignored after that while the rest of the report
  stays the same (`wavering`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from bot.domain.plans import DriftSummary, ResourceChange


def unstable_values(first: Iterable[ResourceChange], second: Iterable[ResourceChange]) -> list[str]:
    """Return `address path` of the values that differ between the two refreshes of one check."""
    one, other = (
        {f"{change.address} {item.path}": item.after for change in changes for item in change.attributes}
        for changes in (first, second)
    )
    return sorted(key for key in one.keys() & other.keys() if one[key] != other[key])


def fingerprint(found: DriftSummary) -> str:
    """Return a digest that is equal for reports that say the same."""
    stable = {key: value for key, value in _values(found).items() if key not in found["restless"]}
    return hashlib.sha256(json.dumps([_shape(found), stable], sort_keys=True).encode()).hexdigest()


def only_unstable_differ(found: DriftSummary, before: DriftSummary) -> bool:
    """Return whether a report differs from the one before in nothing but values known to be unstable."""
    return _shape(found) == _shape(before) and _changed(found, before) <= set(before.get("wavering", ()))


def with_unstable_values(found: DriftSummary, before: DriftSummary) -> DriftSummary:
    """Return the report with the values that changed since `before`, and those known to be unstable before."""
    if _shape(found) != _shape(before):
        return found
    return {**found, "wavering": sorted({*before.get("wavering", ()), *_changed(found, before)})}


def _changed(found: DriftSummary, before: DriftSummary) -> set[str]:
    now, then = _values(found), _values(before)
    unknown = {*found.get("restless", ()), *before.get("restless", ())}
    return {key for key in now.keys() & then.keys() if now[key] != then[key]} - unknown


def _values(found: DriftSummary) -> dict[str, str]:
    """Return what changed outside Terraform: `address path` → the masked value now."""
    return {
        f"{change['address']} {item['path']}": item["after"]
        for change in found.get("drift", ())
        for item in change["attributes"]
    }


def _shape(found: DriftSummary) -> list[object]:
    """Return what changed outside Terraform and what is pending, without values."""
    outside = found.get("drift", ())
    pending = [change for change in found.get("changes", ()) if change["action"] != "read"]
    resources = [
        [change["address"], change["action"], sorted(item["path"] for item in change["attributes"])]
        for change in (*outside, *pending)
    ]
    return [len(outside), resources, sorted(output["path"] for output in found.get("outputs", ()))]
