"""Drift: what differs from the last apply, in the infrastructure or in what the deployed configuration would change."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bot.domain.drift.novelty import (
    fingerprint,
    only_unstable_differ,
    unstable_values,
    with_unstable_values,
)
from bot.domain.plans import (
    DriftSummary,
    Settled,
    read_changes,
    read_plan,
    settled_values,
    split_outside,
    without_settled_outputs,
)
from bot.domain.target import Target

CLEAN = ""
"""The digest of a check that found no drift."""
LEAST = timedelta(minutes=5)
"""The shortest interval between scheduled drift checks: each check makes two plans."""


@dataclass(frozen=True)
class Drift:
    """What a drift check found that the check before it had not. The end of a drift is recorded, too.

    run_id: the check. commit, release_id: what is deployed and was checked. found_at: UTC. digest: of what was found,
    CLEAN if nothing was. outside: number of resources changed outside Terraform in what a plan acts on. pending: number of changes that an
    apply of the deployed configuration would make, an output counted as one. summary: the changes of both plans.
    """

    id: str
    target: Target
    run_id: str
    commit: str
    release_id: str
    found_at: datetime
    digest: str
    outside: int
    pending: int
    summary: DriftSummary

    @property
    def clean(self) -> bool:
        return self.digest == CLEAN

    @property
    def headline(self) -> str:
        """`2 resources changed outside Terraform, 1 change pending`, or `no drift`."""
        parts = []
        if self.outside:
            resources = "resource" if self.outside == 1 else "resources"
            parts.append(f"{self.outside} {resources} changed outside Terraform")
        if self.pending:
            parts.append(f"{self.pending} {'change' if self.pending == 1 else 'changes'} pending")
        return ", ".join(parts) or "no drift"

    def repeats(self, before: Drift | None) -> bool:
        """Return whether it says nothing new after the report before it. Drift that an apply in between did not fix is
        new."""
        if before is None or before.clean or self.clean:
            return self.clean == (before is None or before.clean)
        if self.release_id != before.release_id:
            return False
        return self.digest == before.digest or only_unstable_differ(self.summary, before.summary)

    def after(self, before: Drift | None) -> Drift:
        """Return the report with the values that turned out to be unstable since the report before it."""
        if before is None or before.release_id != self.release_id:
            return self
        return replace(self, summary=with_unstable_values(self.summary, before.summary))


@dataclass(frozen=True)
class Measure:
    """The result of both plans of a drift check."""

    summary: DriftSummary
    digest: str
    outside: int
    pending: int


def measure(
    refreshed: Mapping[str, Any],
    planned: Mapping[str, Any],
    secrets: Collection[str] = (),
    settled: Settled | None = None,
) -> Measure:
    """Combine `show -json` of a refresh-only plan and of a full plan. Drift is what the full plan acts on.

    secrets: as for read_plan. settled: what the first refresh after the apply read; None if this is the first.
    """
    if settled is None:
        settled = settled_values(refreshed)
    acted, ignored = split_outside(refreshed.get("resource_drift") or (), planned, settled)
    outside = read_changes(acted, secrets)
    full = read_plan(without_settled_outputs(planned, settled), secrets, settled)
    changes = [change for change in full.changes if change.action != "read"]
    outputs = {output.path.split(".")[0].split("[")[0] for output in full.outputs}
    summary = cast("DriftSummary", replace(full, drift=outside).abridged().to_dict())
    summary["ignored"] = replace(full, drift=read_changes(ignored, secrets)).abridged().to_dict()["drift"]
    summary["restless"] = unstable_values(outside, full.drift)
    digest = fingerprint(summary) if outside or changes or outputs else CLEAN
    return Measure(summary, digest, len(outside), len(changes) + len(outputs))


def drift_check_due(key: str, every: timedelta, now: datetime) -> datetime:
    """Return when the latest scheduled check of the target `key` was due. Each target has its own offset in the interval,
    derived from its key, so that checks are spread out."""
    length = round(every.total_seconds())
    offset = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % length
    begun = (math.floor(now.timestamp()) - offset) // length
    return datetime.fromtimestamp(begun * length + offset, UTC)
