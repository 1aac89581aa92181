"""Drift: where the world, or what the deployed configuration would make of it, is not as the last apply left it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain import drift_news
from bot.domain.plan import PlanSummary
from bot.domain.target import Target

CLEAN = ""
"""The digest of nothing found."""
LEAST = timedelta(minutes=5)
"""The shortest time between two looks of a schedule: each costs two plans."""


@dataclass(frozen=True)
class Drift:
    """What a look found that the look before it had not: one row a change, also when all is well again.

    run_id: the look. commit, release_id: what stands there, and was looked at. found_at: UTC. digest: of what was found,
    CLEAN where nothing was. outside: resources that were changed outside Terraform. pending: changes that the deployed
    configuration would make, an output counted as one. summary: both plans' changes, masked: a PlanSummary's `to_dict`,
    whose `drift` is what was changed outside; and what bot.domain.drift_news keeps beside.
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
    summary: dict[str, Any]

    @property
    def clean(self) -> bool:
        return self.digest == CLEAN

    @property
    def headline(self) -> str:
        """`2 changed outside, 1 pending`"""
        counts = ((self.outside, "changed outside"), (self.pending, "pending"))
        return ", ".join(f"{count} {word}" for count, word in counts if count) or "no drift"

    def repeats(self, before: Drift | None) -> bool:
        """Whether it says nothing new after the finding before it. What an apply in between has not mended is new."""
        if before is None or before.clean or self.clean:
            return self.clean == (before is None or before.clean)
        if self.release_id != before.release_id:
            return False
        return self.digest == before.digest or drift_news.old(self.summary, before.summary)

    def after(self, before: Drift | None) -> Drift:
        """The same, with what it knows of the values that changed since the finding before it."""
        if before is None or before.release_id != self.release_id:
            return self
        return replace(self, summary=drift_news.learned(self.summary, before.summary))


@dataclass(frozen=True)
class Measure:
    """What two plans of one configuration say together."""

    summary: dict[str, Any]
    digest: str
    outside: int
    pending: int


def measure(
    refreshed: Mapping[str, Any], planned: Mapping[str, Any], secrets: Collection[str] = ()
) -> Measure:
    """From `show -json` of a refresh-only plan and of a full one. secrets: as in PlanSummary.from_json."""
    outside = PlanSummary.from_json(refreshed, secrets).drift
    full = PlanSummary.from_json(planned, secrets)
    changes = [change for change in full.changes if change.action != "read"]
    outputs = {output.path.split(".")[0].split("[")[0] for output in full.outputs}
    found = asdict(full) | {"drift": [asdict(change) for change in outside]}
    found |= drift_news.restless(outside, full.drift)
    digest = drift_news.fingerprint(found) if outside or changes or outputs else CLEAN
    return Measure(found, digest, len(outside), len(changes) + len(outputs))


def due(key: str, every: timedelta, now: datetime) -> datetime:
    """When the newest scheduled look at the target `key` was or is due: each target has its own moment in `every`, told
    by its key, so that not all of them are looked at together."""
    length = round(every.total_seconds())
    offset = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % length
    begun = (math.floor(now.timestamp()) - offset) // length
    return datetime.fromtimestamp(begun * length + offset, UTC)
