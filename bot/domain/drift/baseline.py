"""The baseline of a target: what the first refresh after an apply read differently from the state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.target import Target


@dataclass(frozen=True)
class Baseline:
    """What a provider filled in after an apply, which is no drift. Counts for exactly one state.

    lineage, serial: the state that was refreshed. values: see bot.domain.plans.settled; digests only.
    recorded_at: UTC.
    """

    target: Target
    lineage: str
    serial: int
    recorded_at: datetime
    values: dict[str, str]
