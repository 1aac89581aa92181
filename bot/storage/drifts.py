"""Drifts: what looks at deployed environments found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from bot.domain.drift import Drift
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import drifts


class DriftRows(Rows):
    def add(self, drift: Drift) -> None:
        """Nothing happens where it is there already."""
        self.put(drifts, values(drifts, drift))

    def get(self, drift_id: str) -> Drift | None:
        return self.one(Drift, select(drifts).where(drifts.c.id == drift_id))

    def of_target(self, target: Target, limit: int) -> list[Drift]:
        """Newest first."""
        query = select(drifts).where(drifts.c.target == target)
        return self.many(Drift, query.order_by(drifts.c.seq.desc()).limit(limit))

    def newest(self, target: Target) -> Drift | None:
        return next(iter(self.of_target(target, 1)), None)

    def forget(self, before: datetime, limit: int) -> int:
        """Delete `limit` at most that were found before that time, never the newest of a target; returns how many."""
        newest = select(func.max(drifts.c.seq)).group_by(drifts.c.target)
        old = select(drifts.c.id).where(drifts.c.found_at < before, drifts.c.seq.not_in(newest))
        return self.count(drifts.delete().where(drifts.c.id.in_(old.limit(limit))))

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Drift]:
        """The newest of each of the targets that has one."""
        return self.latest(Drift, drifts, targets)
