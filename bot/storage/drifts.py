"""Store drift reports, and the baselines that drift is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from bot.domain.drift import Baseline, Drift
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import baselines, drifts


class DriftRows(Rows):
    """Implements bot.domain.ports.records.Drifts."""

    def add(self, drift: Drift) -> None:
        self.upsert(drifts, values(drifts, drift))

    def get(self, drift_id: str) -> Drift | None:
        return self.one(Drift, select(drifts).where(drifts.c.id == drift_id))

    def of_target(self, target: Target, limit: int) -> list[Drift]:
        query = select(drifts).where(drifts.c.target == target)
        return self.many(Drift, query.order_by(drifts.c.seq.desc()).limit(limit))

    def newest(self, target: Target) -> Drift | None:
        return next(iter(self.of_target(target, 1)), None)

    def forget(self, before: datetime, limit: int) -> int:
        newest = select(func.max(drifts.c.seq)).group_by(drifts.c.target)
        old = select(drifts.c.id).where(drifts.c.found_at < before, drifts.c.seq.not_in(newest))
        return self.count(drifts.delete().where(drifts.c.id.in_(old.limit(limit))))

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Drift]:
        return self.newest_by_target(Drift, drifts, targets)


class BaselineRows(Rows):
    """Implements bot.domain.ports.records.Baselines."""

    def record(self, baseline: Baseline) -> None:
        self.replace(baselines, values(baselines, baseline))

    def at(self, target: Target, lineage: str, serial: int) -> Baseline | None:
        same = baselines.c.target == target, baselines.c.lineage == lineage, baselines.c.serial == serial
        return self.one(Baseline, select(baselines).where(*same))
